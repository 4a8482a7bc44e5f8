import type { Clock } from '../../../src/clock.ts'
import { giveWay } from '../../../src/concurrency.ts'
import type { Logger } from '../../../src/log.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import type { OpenStore } from '../store/open-store.ts'
import { forgetRecords } from './control-records.ts'
import { anyStored, type BackupDb, newestOfAll, requestCopy, waitingCopies } from './copies.ts'
import { failedOf, isDue, noteCopies, overdueOf, type Seen } from './due.ts'
import type { CopyMaker } from './making.ts'
import { forgetDoubles, forgetOutdated, type KeepRules } from './retention.ts'

/** How long a round waits for the copies that it begins: one that hangs, or takes hours, delays no other instance. */
const waitMs = 50_000

export interface RoundParts {
  db: BackupDb
  provisioner: ProvisionerService
  store: OpenStore
  maker: CopyMaker
  clock: Clock
  log: Logger
  everyMs: number
  proveEveryMs: number
  rules: KeepRules
}

/** What is done again and again: copies that are due are made, and outdated ones deleted. */
export function copyRounds({ everyMs, proveEveryMs, rules, ...parts }: RoundParts) {
  const { db, provisioner, store, maker, clock, log } = parts
  const look = (): Seen => ({ instances: provisioner.instances(), newest: newestOfAll(db) })
  const overdue = (seen = look()) => overdueOf(seen, { everyMs, proveEveryMs }, clock.now())
  const begun = new Set<string>()
  const makeAll = async () => {
    // One that was away is asked again, though no copy is due.
    if (store.fault() !== null && !store.missing()) await store.ready().catch(() => {})
    const waiting = waitingCopies(db).filter(({ id }) => !begun.has(id))
    await Promise.all(
      waiting.map(async ({ id }) => {
        begun.add(id)
        await maker
          .make(id)
          .catch(error => log.error({ err: error, copy: id }, 'a copy was given up'))
          .finally(() => begun.delete(id))
      }),
    )
  }
  return {
    look,
    overdue,
    /** What the operator should know: instances whose newest copy failed, and those that are overdue. */
    attention: () => {
      const seen = look()
      return { overdue: overdue(seen), failed: failedOf(seen) }
    },
    copy: async (signal: AbortSignal) => {
      const begunAt = performance.now()
      const { instances, newest } = look()
      if (!store.missing())
        for (const instance of instances)
          if (isDue(instance, newest.get(instance.id), everyMs, clock.now()))
            requestCopy(db, instance, 'schedule', clock.now())
      await giveWay(begunAt)
      const over = new AbortController()
      await Promise.race([makeAll(), clock.sleep(waitMs, AbortSignal.any([signal, over.signal]))])
      over.abort()
      const seen = look()
      noteCopies(provisioner, seen, new Set(overdue(seen).map(({ instanceId }) => instanceId)))
    },
    forget: async () => {
      if (store.missing() || !anyStored(db)) return
      const opened = await store.ready()
      const known = new Set(provisioner.instances().map(({ id }) => id))
      const exists = (id: string) => known.has(id)
      const copies = await forgetOutdated({ db, store: opened, rules, clock, log, exists })
      const records = await forgetRecords(db, store, { now: clock.now(), forMs: rules.forMs })
      const doubles = await forgetDoubles({ db, store: opened, clock })
      if (copies + records + doubles > 0) await opened.prune()
    },
  }
}

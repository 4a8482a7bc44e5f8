import { join } from 'node:path'
import type { SetupContext, SetupParts } from '../../src/kernel/control-plane.ts'
import { archiveRoutes } from './archive-routes.ts'
import { copyRecords, forgetRecords, recordsCopiedAt } from './copies/control-records.ts'
import { anyKept, keptCopies, keptCopyOf, newestOfAll, requestCopy, waitingCopies } from './copies/copies.ts'
import { isDue, noteCopies, overdueOf, type Seen } from './copies/due.ts'
import { CopyMaker } from './copies/making.ts'
import { clearProofs, proveCopies, proveCopy } from './copies/proving.ts'
import { forgetDoubles, forgetOutdated } from './copies/retention.ts'
import { volumeCopies } from './copies/volume-copies.ts'
import type { declaration } from './declaration.ts'
import { backupConcerns, backupMetrics } from './reports.ts'
import { restoreVolumes } from './restore-volumes.ts'
import { backupRoutes } from './routes.ts'
import type { CopyRow } from './schema.ts'
import { passwordFileOf, storeOf } from './settings.ts'
import { openStore } from './store/open-store.ts'
import { ensurePassword } from './store/password-file.ts'
import { howToInstall, resticInstalled } from './store/restic.ts'
import { StoreError } from './store/store.ts'

type Context = SetupContext<typeof declaration>

/** How old the newest copy of the control plane's own records may get. */
const recordsEveryMs = 3_600_000
const recordsLookMs = 600_000

const routesOf = (parts: Parameters<typeof archiveRoutes>[0]) => [
  ...backupRoutes(parts),
  ...archiveRoutes(parts),
]

function knownFault(passwordFault: string | null): StoreError | null {
  if (!resticInstalled()) return new StoreError(howToInstall, { missing: true })
  return passwordFault === null ? null : new StoreError(passwordFault)
}

/** Puts the plugin together: the store, what makes and proves copies, and what deletes them. */
export function setUpBackup(context: Context): SetupParts<typeof declaration> {
  const { config, db, log, clock, services, emit, nudge } = context
  const { provisioner, site, auth } = services
  const control = join(site.dataRoot, '.control')
  const passwordFault = ensurePassword(passwordFileOf(config, control), anyKept(db), log)
  const store = openStore(storeOf(config, control), () => anyKept(db), knownFault(passwordFault))
  const startedAt = clock.now()
  const everyMs = config.BACKUP_EVERY
  const proveEveryMs = config.BACKUP_PROVE_EVERY
  const failed = ({ instanceId, subdomain }: CopyRow, why: string) =>
    emit('copy-failed', { instanceId, subdomain, why })
  const maker = new CopyMaker({
    ...{ db, provisioner, store, clock, log, failed },
    atOnce: config.BACKUP_CONCURRENCY,
    made: ({ instanceId, subdomain, createdAt }) => {
      provisioner.note([{ instanceId, copiedAt: createdAt }])
      emit('copy-recovered', { instanceId, subdomain })
    },
  })
  let untried: string | null = null
  const parts = {
    untried: (why: string | null) => {
      untried = why
    },
    ...{ db, provisioner, store, maker, clock, log, failed },
    keepsPurged: config.BACKUP_KEEP_PURGED > 0,
    nudge: () => nudge('copy'),
    scratch: join(control, 'proofs'),
    everyMs: proveEveryMs,
  }
  const stopping = new AbortController()
  const look = (): Seen => ({ instances: provisioner.instances(), newest: newestOfAll(db) })
  const overdue = (seen = look()) => overdueOf(seen, { everyMs, proveEveryMs }, clock.now())
  const copyRound = async (signal: AbortSignal) => {
    let seen = look()
    if (!store.missing())
      for (const instance of seen.instances)
        if (isDue(instance, seen.newest.get(instance.id), everyMs, clock.now()))
          requestCopy(db, instance, 'schedule', clock.now())
    const waiting = waitingCopies(db)
    if (waiting.length > 0) {
      await Promise.all(waiting.map(row => maker.make(row.id, signal)))
      seen = look()
    }
    noteCopies(provisioner, seen, new Set(overdue(seen).map(({ instanceId }) => instanceId)))
  }
  const recordsNow = (signal: AbortSignal) => copyRecords({ db, store, clock, folder: control, signal })
  const forgetRound = async () => {
    if (store.missing() || !anyKept(db)) return
    const opened = await store.ready()
    const rules = {
      forMs: config.BACKUP_KEEP_FOR,
      last: config.BACKUP_KEEP_LAST,
      purgedMs: config.BACKUP_KEEP_PURGED,
    }
    const known = new Set(provisioner.instances().map(({ id }) => id))
    const copies = await forgetOutdated({ db, store: opened, rules, clock, log, exists: id => known.has(id) })
    const records = await forgetRecords(db, store, { now: clock.now(), forMs: rules.forMs })
    const doubles = await forgetDoubles({ db, store: opened, clock })
    if (copies + records + doubles > 0) await opened.prune()
  }
  return {
    service: {
      fault: store.fault,
      copiesOf: instanceId => keptCopies(db, instanceId).map(keptCopyOf),
      lastProven: instanceId => {
        const proven = keptCopies(db, instanceId).find(
          ({ provenAt, reason }) => provenAt !== null && reason !== 'upload',
        )
        return proven ? keptCopyOf(proven) : null
      },
      overdue: () => overdue(),
    },
    concernKinds: ['backup-store', 'backup-proofs', 'backup-overdue'],
    concerns: () => backupConcerns(store, overdue(), untried),
    metrics: () => backupMetrics(db, clock.now()),
    routes: routesOf({
      ...{ db, provisioner, store, maker, auth, admin: auth.admin, control, scratch: parts.scratch },
      now: () => clock.now(),
      copyRecords: () => recordsNow(stopping.signal),
      prove: (row, seen) => proveCopy(parts, row, stopping.signal, seen),
      uploadBytes: config.BACKUP_UPLOAD_LIMIT,
    }),
    hooks: { 'volume-copies': volumeCopies(parts) },
    tasks: [
      { name: 'copy', everyMs: 60_000, run: copyRound },
      {
        name: 'copy-records',
        everyMs: recordsLookMs,
        run: async signal => {
          // A program that is only started for a moment copies nothing.
          const since = clock.now() - (recordsCopiedAt(db) ?? startedAt)
          if (everyMs > 0 && !store.missing() && since >= recordsEveryMs) await recordsNow(signal)
        },
      },
      {
        name: 'prove',
        everyMs: 300_000,
        run: async signal => {
          if (!store.missing() && proveEveryMs > 0) await proveCopies(parts, signal)
        },
      },
      { name: 'forget', everyMs: 6 * 3_600_000, run: forgetRound },
    ],
    checks: {
      copies: () => {
        if (store.missing()) return
        const fault = store.fault()
        if (fault !== null) throw new Error(fault)
        const [first, ...others] = overdue()
        if (!first) return
        const more = others.length > 0 ? `, and ${others.length} more instances need attention` : ''
        throw new Error(`${first.subdomain}: ${first.why}${more}`)
      },
    },
    start: async () => {
      await clearProofs(parts.scratch)
      await restoreVolumes({ db, store, provisioner, log, control })
    },
    stop: async () => {
      stopping.abort()
      await maker.stop()
    },
  }
}

import { join } from 'node:path'
import type { SetupContext, SetupParts } from '../../src/kernel/control-plane.ts'
import { ListedFault } from '../../src/kernel/plugin.ts'
import { archiveRoutes } from './archives/archive-routes.ts'
import { clearDrafts, recordsCopier } from './copies/control-records.ts'
import { anyKept, keptCopies, keptCopyOf } from './copies/copies.ts'
import { CopyMaker } from './copies/making.ts'
import { clearProofs, Prover } from './copies/proving.ts'
import { copyRounds } from './copies/rounds.ts'
import { volumeCopies } from './copies/volume-copies.ts'
import type { declaration } from './declaration.ts'
import { backupConcerns, backupMetrics } from './reports.ts'
import { restoreVolumes } from './restore-volumes.ts'
import { backupRoutes } from './routes.ts'
import type { CopyRow } from './schema.ts'
import { passwordFileOf, storeOf } from './settings.ts'
import { openStore } from './store/open-store.ts'
import { ensurePassword } from './store/password-file.ts'
import { resticInstalled } from './store/restic.ts'

type Context = SetupContext<typeof declaration>

const recordsLookMs = 600_000

/** Puts the plugin together: the store, what makes and proves copies, and what deletes them. */
export function setUpBackup(context: Context): SetupParts<typeof declaration> {
  const { config, db, log, clock, services, emit, nudge } = context
  const { provisioner, site, auth } = services
  const control = join(site.dataRoot, '.control')
  const passwordFault = ensurePassword(passwordFileOf(config, control), anyKept(db), log)
  const store = openStore(storeOf(config, control), {
    inUse: () => anyKept(db),
    fault: passwordFault,
    isInstalled: () => resticInstalled(),
  })
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
  const parts = {
    ...{ db, provisioner, store, maker, clock, log, failed },
    keepsPurged: config.BACKUP_KEEP_PURGED > 0,
    nudge: () => nudge('copy'),
    scratch: join(control, 'proofs'),
    everyMs: proveEveryMs,
  }
  const prover = new Prover(parts)
  const stopping = new AbortController()
  const rules = {
    forMs: config.BACKUP_KEEP_FOR,
    last: config.BACKUP_KEEP_LAST,
    purgedMs: config.BACKUP_KEEP_PURGED,
  }
  const rounds = copyRounds({ db, provisioner, store, maker, clock, log, everyMs, proveEveryMs, rules })
  const records = recordsCopier({ db, store, clock, folder: control })
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
      overdue: () => rounds.overdue(),
    },
    concernKinds: ['backup-store', 'backup-proofs', 'backup-failed', 'backup-overdue'],
    concerns: () => backupConcerns({ store, ...rounds.attention(), untried: prover.untried() }),
    metrics: () => backupMetrics(db, rounds.look(), rounds.overdue().length, clock.now()),
    routes: allRoutes({
      ...{ db, provisioner, store, maker, auth, admin: auth.admin, control, scratch: parts.scratch },
      now: () => clock.now(),
      copyRecords: () => records.copy(stopping.signal),
      prove: async (row, seen) => {
        const proof = await prover.prove(row, stopping.signal)
        seen?.(proof.instanceId)
        return proof.row
      },
      uploadBytes: config.BACKUP_UPLOAD_LIMIT,
    }),
    hooks: { 'volume-copies': volumeCopies(parts) },
    tasks: [
      { name: 'copy', everyMs: 60_000, run: rounds.copy },
      {
        name: 'copy-records',
        everyMs: recordsLookMs,
        run: async signal => {
          if (everyMs > 0 && !store.missing()) await records.copyIfDue(signal)
        },
      },
      {
        name: 'prove',
        everyMs: 300_000,
        run: async signal => {
          if (!store.missing() && proveEveryMs > 0) await prover.round(signal)
        },
      },
      { name: 'forget', everyMs: 6 * 3_600_000, run: rounds.forget },
    ],
    checks: {
      copies: () => {
        if (store.missing()) return
        const fault = store.fault()
        if (fault !== null) throw new ListedFault(fault)
        const [first, ...others] = rounds.overdue()
        if (!first) return
        const more = others.length > 0 ? `, and ${others.length} more instances need attention` : ''
        throw new ListedFault(`${first.subdomain}: ${first.why}${more}`)
      },
    },
    start: async () => {
      await clearDrafts(control)
      await clearProofs(parts.scratch)
      await restoreVolumes({ db, store, provisioner, log, control })
    },
    stop: async () => {
      stopping.abort()
      await maker.stop()
    },
  }
}

function allRoutes(parts: Parameters<typeof archiveRoutes>[0] & Parameters<typeof backupRoutes>[0]) {
  return [...backupRoutes(parts), ...archiveRoutes(parts)]
}

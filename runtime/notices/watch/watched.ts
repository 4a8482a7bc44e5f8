import type { Check } from '../../../src/kernel/plugin.ts'
import type { Job, LedgerFilter, ManifestState, Run, RunFilter, Slot } from '../../jobs/contract.ts'
import type { PackagesState } from '../../packages/contract.ts'
import type { SyncService } from '../../sync/contract.ts'

/** What the notices need from the instance. */
export interface Watched {
  /** False until the first load of the manifest has ended. */
  ready(): boolean
  jobs(): Job[]
  job(id: string): Job | null
  /** Newest first. */
  runs(filter: RunFilter): { runs: Run[] }
  /** The log of a run. */
  log(runId: string): string
  ledger(filter: LedgerFilter): (Slot & { jobId: string })[]
  manifest(): ManifestState
  packages(): PackagesState
  sync: Pick<SyncService, 'remote' | 'token'>
  checks: ReadonlyMap<string, Check>
}

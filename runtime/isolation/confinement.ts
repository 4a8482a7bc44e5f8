import { prepareRestriction } from './landlock.ts'
import { prepareQuotaFilter } from './quota-filter.ts'
import type { Reach } from './reach.ts'
import { openSystemCalls } from './system-calls.ts'

/** Restricts this process and everything it starts. */
export interface Confinement {
  /** Starts the restriction, which cannot be lifted. On systems without support, Node's own permissions apply. */
  begin(): void
}

/** Prepares the restriction, which takes longer than starting it. */
export function prepareConfinement(reach: Reach): Confinement {
  const system = openSystemCalls()
  // Orphans become children of this process, which lives as long as the run, so they can be found.
  system?.adoptOrphans()
  const restrict = system && prepareRestriction(reach, system)
  const filter = system && prepareQuotaFilter(system)
  return {
    begin: () => {
      restrict?.()
      filter?.()
      process.permission?.drop('ffi')
      leaveRuntimeAlone()
    },
  }
}

/** Most systems forbid this to a restricted process anyway, with a less readable error. */
function leaveRuntimeAlone(): void {
  const kill = process.kill
  const runtime = process.ppid
  process.kill = (pid, signal) => {
    if (Number(pid) === runtime || Number(pid) === -1) {
      throw new Error('a job may not signal the process that runs it')
    }
    return kill.call(process, pid, signal)
  }
}

import { type Reach, restrictTo } from './landlock.ts'
import { openSystemCalls } from './system-calls.ts'

/** What keeps this process, and all that it starts, within its bounds. */
export interface Confinement {
  /** From now on, and for ever. Where the system cannot, Node's own permissions have to do. */
  begin(reach: Reach): void
}

/** Makes everything ready, for that takes longer than to begin. */
export function prepareConfinement(): Confinement {
  const system = openSystemCalls()
  // With a parent that lives as long as the run, whatever is started is found from there.
  system?.adoptOrphans()
  return {
    begin: reach => {
      if (system) restrictTo(reach, system)
      process.permission?.drop('ffi')
      leaveRuntimeAlone()
    },
  }
}

/** Most systems keep a confined process from it anyway, and less plainly. */
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

/** What the runtime passed to the runner, see `startCustomerProgram`. */
export function givenReach(): Reach {
  return JSON.parse(process.argv[2] ?? '') as Reach
}

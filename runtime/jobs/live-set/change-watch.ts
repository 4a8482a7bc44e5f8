import type { Clock } from '../../../src/clock.ts'
import { startTask } from '../../../src/kernel/tasks.ts'
import type { Logger } from '../../../src/log.ts'
import { isScript, type Tree } from './tree.ts'
import { createWatcher } from './watcher.ts'

/** Look once nothing has happened for this long: editors write a file in several steps. */
const quietMs = 30
/** Look after this long even if changes go on. */
const patienceMs = 250
/** Look this often in any case: the watcher may have missed something. */
const rescanMs = 10_000
const rescanWithoutWatcherMs = 1000

export interface ChangeWatch {
  /** Watches the folders of this tree from now on. Returns true when some of them are new. */
  cover(tree: Tree): boolean
  stop(): Promise<void>
}

/**
 * Calls `look` soon after something changed in the jobs repo, and from time to time. Calls `onScript` at once when a
 * code file changed, which means that an author is at work.
 */
export function watchChanges(
  look: () => Promise<unknown>,
  { clock, log, onScript }: { clock: Clock; log: Logger; onScript: () => void },
): ChangeWatch {
  let timer: NodeJS.Timeout | undefined
  let firstChange = 0

  const changed = (name: string | null) => {
    const now = performance.now()
    if (timer === undefined) firstChange = now
    if (name && isScript(name)) onScript()
    clearTimeout(timer)
    const wait = Math.max(0, Math.min(quietMs, firstChange + patienceMs - now))
    timer = setTimeout(() => {
      timer = undefined
      void look()
    }, wait)
  }
  const watcher = createWatcher(changed, log)
  let covered = false
  let stopped = false
  const rescan = startTask(
    {
      name: 'rescan',
      get everyMs() {
        return covered && !watcher.works() ? rescanWithoutWatcherMs : rescanMs
      },
      run: async () => {
        if (covered) await look()
      },
    },
    { clock, log },
  )
  return {
    cover: tree => {
      // A load that was in progress at the stop still reports its tree.
      if (stopped) return false
      covered = true
      return watcher.cover(tree.folders)
    },
    stop: async () => {
      stopped = true
      watcher.stop()
      clearTimeout(timer)
      await rescan.stop()
    },
  }
}

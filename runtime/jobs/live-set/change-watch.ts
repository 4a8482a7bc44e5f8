import type { Clock } from '../../../src/clock.ts'
import { startTask } from '../../../src/kernel/tasks.ts'
import type { Logger } from '../../../src/log.ts'
import { isScript, type Tree } from './tree.ts'
import { createWatcher } from './watcher.ts'

/** An editor writes a file in several steps; so long must nothing happen before we look. */
const quietMs = 30
/** What never becomes quiet is looked at all the same. */
const patienceMs = 250
/** Looking again whatever the watcher says: it may have missed something. */
const rescanMs = 10_000
const rescanWithoutWatcherMs = 1000

export interface ChangeWatch {
  /** Watches the folders of this tree from now on. True when some are new to it. */
  cover(tree: Tree): boolean
  stop(): Promise<void>
}

/**
 * Calls `look` soon after something changed in the jobs repo, and from time to time; `onScript` at once when it is
 * somebody at work on the code.
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
      // The load that was going when it was stopped has its tree all the same.
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

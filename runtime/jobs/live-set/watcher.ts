import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../../src/log.ts'

export interface Watcher {
  /** Watches exactly these folders from now on. True when some are new: what happened in them before is unknown. */
  cover(folders: readonly string[]): boolean
  /** False when the system has no watches left; then only looking again helps. */
  works(): boolean
  stop(): void
}

/**
 * Nudges when something happens in one of the folders. Folder by folder and not recursively, for that would watch
 * every package in node_modules too. A nudge has the name of a file where the system told it, and says no more.
 */
export function createWatcher(onChange: (name: string | null) => void, log: Logger): Watcher {
  const watchers = new Map<string, FSWatcher>()
  let failed = false

  const open = (folder: string): boolean => {
    try {
      const watcher = watch(folder, (_, name) => {
        if (name !== '.git') onChange(name)
      })
      watcher.on('error', () => close(folder))
      watchers.set(folder, watcher)
      return true
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // The system's limit of watches is shared by every process of this user.
      if ((code === 'EMFILE' || code === 'ENOSPC') && !failed) {
        failed = true
        log.warn({ code }, 'the system has no file watches left; looking for changes every second instead')
      }
      return false
    }
  }
  const close = (folder: string) => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }

  return {
    cover: folders => {
      const wanted = new Set([...folders, ...folders.slice(0, 1).map(root => join(root, 'node_modules'))])
      for (const folder of watchers.keys()) if (!wanted.has(folder)) close(folder)
      let grew = false
      for (const folder of wanted) if (!watchers.has(folder) && open(folder)) grew = true
      return grew
    },
    works: () => !failed && watchers.size > 0,
    stop: () => {
      for (const folder of [...watchers.keys()]) close(folder)
    },
  }
}

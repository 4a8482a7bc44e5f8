import { type FSWatcher, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../../src/log.ts'

export interface Watcher {
  /** Watches exactly these folders from now on. Returns true when some are new: what happened in them before is unknown. */
  cover(folders: readonly string[]): boolean
  /** False when the system has no watches left; then the folders have to be scanned again and again. */
  works(): boolean
  stop(): void
}

/**
 * Calls back when something happens in one of the folders, with the name of the file if the system says it. Watches
 * folder by folder, because a recursive watch would include every package in node_modules.
 */
export function createWatcher(onChange: (name: string | null) => void, log: Logger): Watcher {
  const watchers = new Map<string, FSWatcher>()
  let failed = false
  let packages: bigint | null = null

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
      // All processes of this user share the system's limit of watches.
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
      const modules = folders.slice(0, 1).map(root => join(root, 'node_modules'))
      const wanted = new Set([...folders, ...modules])
      // A link that leads elsewhere by now, or another folder of its name: the watch is still on the one before.
      const there = modules[0] === undefined ? null : inodeOf(modules[0])
      if (there !== packages) for (const each of modules) close(each)
      packages = there
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

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null
}

import type { Logger } from '../log.ts'

/** The resources of a program, released in reverse order. */
export interface Releases {
  add(release: () => unknown): void
  /** Releases everything once, however often it is called. A failure is logged and does not stop the others. */
  release(): Promise<void>
}

export function createReleases(log: Logger): Releases {
  const taken: (() => unknown)[] = []
  let released: Promise<void> | undefined
  const releaseAll = async () => {
    for (let release = taken.pop(); release; release = taken.pop()) {
      try {
        await release()
      } catch (error) {
        log.error({ err: error }, 'failed to stop')
      }
    }
  }
  return {
    add: release => void taken.push(release),
    release: () => {
      released ??= releaseAll()
      return released
    },
  }
}

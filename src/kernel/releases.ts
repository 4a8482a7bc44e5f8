import type { Logger } from '../log.ts'

/** What a program took and has to give back, in reverse order. */
export interface Releases {
  add(release: () => unknown): void
  /** Gives everything back, once, however often it is called. One that fails is logged and holds up no other. */
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

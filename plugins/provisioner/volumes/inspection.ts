import type { Clock } from '../../../src/clock.ts'
import { DriverError } from '../driver.ts'
import type { VolumeSight } from './volume.ts'

/** Looks at what stands in a volume's place. Throws when it cannot tell. */
export type VolumeLook = (path: string) => Promise<VolumeSight>

export const lookWithinMs = 5_000
/**
 * Each look at a disk that hangs blocks one of the process's four file system threads. No more looks than these run at the
 * same time, so that the rest of the process goes on.
 */
const mostAtOnce = 2

/**
 * Gives each look a deadline, `lookWithinMs` after it began, and throws in words when the disk has not answered by then. Looks
 * beyond `mostAtOnce` are queued; while all that run hang, they are refused instead. A volume whose look hangs is not looked
 * at again until that look ends.
 */
export function patientLook(look: VolumeLook, clock: Pick<Clock, 'sleep'>): VolumeLook {
  const hanging = new Set<string>()
  const waiting: (() => void)[] = []
  let underWay = 0

  const wakeNext = () => waiting.shift()?.()
  const refuseHung = (path: string) => {
    if (hanging.has(path)) throw silent(path, 'is still not answering')
    if (hanging.size >= mostAtOnce)
      throw silent(path, `was not asked: those of ${[...hanging].join(' and ')} are not answering`)
  }

  return async path => {
    refuseHung(path)
    while (underWay >= mostAtOnce) {
      await new Promise<void>(resolve => waiting.push(resolve))
      try {
        refuseHung(path)
      } catch (error) {
        // This one gives up its place in the queue.
        wakeNext()
        throw error
      }
    }
    underWay++
    const answered = new AbortController()
    const looking = look(path).finally(() => {
      underWay--
      hanging.delete(path)
      answered.abort()
      wakeNext()
    })
    const late = clock.sleep(lookWithinMs, answered.signal).then(() => {
      if (answered.signal.aborted) return looking
      hanging.add(path)
      // Queued looks at this volume, or at any when all hang, must be refused now.
      for (const wake of waiting.splice(0)) wake()
      throw silent(path, `gave no answer within ${lookWithinMs / 1000} s`)
    })
    return await Promise.race([looking, late])
  }
}

function silent(path: string, how: string): DriverError {
  return new DriverError(`the disk of the volume ${path} ${how}`, { permanent: false })
}

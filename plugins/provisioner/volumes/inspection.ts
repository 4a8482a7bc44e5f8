import type { Clock } from '../../../src/clock.ts'
import { DriverError } from '../driver.ts'
import type { VolumeSight } from './volume.ts'

/** Looks at a volume's place; throws when that cannot be done. */
export type VolumeLook = (path: string) => Promise<VolumeSight>

export const lookWithinMs = 5_000
/**
 * A disk that hangs holds one of the process's four file system threads for each look at it, for as long as it hangs. No
 * more looks than these are under way, so that everything else in the process goes on.
 */
const mostAtOnce = 2

/**
 * Has every look answered within `lookWithinMs` of its beginning, in words when the disk gives no answer by then. Looks
 * beyond `mostAtOnce` wait their turn; while all that are under way hang, they are refused instead. A volume whose look
 * still hangs is not looked at again until it ends.
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
        // The turn is the next one's.
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
      // Those that wait for this volume, or for any when all hang, must hear of it.
      for (const wake of waiting.splice(0)) wake()
      throw silent(path, `gave no answer within ${lookWithinMs / 1000} s`)
    })
    return await Promise.race([looking, late])
  }
}

function silent(path: string, how: string): DriverError {
  return new DriverError(`the disk of the volume ${path} ${how}`, { permanent: false })
}

import type { Clock } from '../../../src/clock.ts'
import { DriverError } from '../driver.ts'
import type { VolumeSight } from './volume.ts'

/** Looks at a volume's place; throws when that cannot be done. */
export type VolumeLook = (path: string) => Promise<VolumeSight>

export const lookWithinMs = 5_000
/**
 * A network disk that hangs holds one of the process's few threads for each look at it, for as long as it hangs: no more
 * than these, so that the others go on.
 */
const mostHanging = 2

/**
 * Has every look answered within `lookWithinMs`, in words when the disk gives no answer by then. Volumes whose look still
 * hangs are not looked at again until it ends.
 */
export function patientLook(look: VolumeLook, clock: Pick<Clock, 'sleep'>): VolumeLook {
  const hanging = new Set<string>()
  return async path => {
    if (hanging.has(path)) throw silent(path, 'is still not answering')
    const [one, other] = hanging
    if (other !== undefined && hanging.size >= mostHanging)
      throw silent(path, `was not asked: those of ${one} and ${other} are not answering`)
    const answered = new AbortController()
    const looking = look(path).finally(() => {
      hanging.delete(path)
      answered.abort()
    })
    const late = clock.sleep(lookWithinMs, answered.signal).then(() => {
      if (answered.signal.aborted) return looking
      hanging.add(path)
      throw silent(path, `gave no answer within ${lookWithinMs / 1000} s`)
    })
    return await Promise.race([looking, late])
  }
}

function silent(path: string, how: string): DriverError {
  return new DriverError(`the disk of the volume ${path} ${how}`, { permanent: false })
}

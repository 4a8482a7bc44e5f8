import { serialByKey } from '../../../src/concurrency.ts'
import { DriverError } from '../driver.ts'

/** Runs work on one folder, when no other work on it is in progress. When `signal` aborts before that, it throws and runs nothing. */
export type InTurn = <T>(folder: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>

/**
 * Returns what has work on each folder done in turn. Whatever reads a volume, and whatever moves or deletes it, waits here for
 * the other: a copy whose files go away meanwhile would lack them.
 */
export function folderTurns(): InTurn {
  const serial = serialByKey()
  return async (folder, signal, work) => {
    const gone = Promise.withResolvers<never>()
    const leave = () => gone.reject(new DriverError(`the work on ${folder} was ended`, { permanent: false }))
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    const done = serial(folder, async () => {
      signal.removeEventListener('abort', leave)
      return signal.aborted ? await gone.promise : await work()
    })
    return await Promise.race([done, gone.promise]).finally(() => signal.removeEventListener('abort', leave))
  }
}

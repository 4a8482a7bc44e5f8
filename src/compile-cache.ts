import { constants, enableCompileCache, flushCompileCache } from 'node:module'
import { programRoot } from './root.ts'

/** A program that runs for months writes its compiled code this long after its start, instead of at its end. */
const writtenAfterMs = 10_000

/**
 * Caches the code that Node compiles beside the program, so that its next start is faster. Does nothing if that
 * folder is not writable or the environment sets a cache (`NODE_COMPILE_CACHE`).
 */
export function keepCompiled(): void {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return
  const { status } = enableCompileCache(programRoot('compile-cache'))
  if (status === constants.compileCacheStatus.ENABLED) setTimeout(flushCompileCache, writtenAfterMs).unref()
}

import { constants, enableCompileCache, flushCompileCache } from 'node:module'
import { programRoot } from './root.ts'

/** A program that runs for months writes what it compiled before its end. */
const writtenAfterMs = 10_000

/**
 * Keeps what Node compiles beside the program, so that its next start need not compile it again. Does nothing where
 * that folder cannot be written, and leaves it to the environment where that names one (`NODE_COMPILE_CACHE`).
 */
export function keepCompiled(): void {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return
  const { status } = enableCompileCache(programRoot('compile-cache'))
  if (status === constants.compileCacheStatus.ENABLED) setTimeout(flushCompileCache, writtenAfterMs).unref()
}

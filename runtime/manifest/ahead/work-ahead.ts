import { packagesOf } from '../../modules/packages-of.ts'
import { type Ahead, compileAhead } from './compiled.ts'
import { restartCompiler, startCompiler } from './compiler.ts'
import { type Linked, linkAhead } from './linked.ts'

/** What a reader did before it was asked. */
export interface WorkAhead {
  compiled: Ahead | null
  /** The installation whose modules were linked; null when it has not come to that. */
  packages: string | null
  /** Null when linking failed. */
  linked: Linked | null
}

/**
 * Starts the compiler. A reader that waits for a save compiles meanwhile what is there: most files of a repo stay the same. The compiler is then
 * started anew, because it keeps the memory that it had. Then it links the modules of packages that the last
 * reading imported. It does no more than it has begun once it is asked the `question`.
 */
export async function workAhead(
  repo: string,
  modules: readonly string[],
  question: Promise<unknown>,
): Promise<WorkAhead> {
  startCompiler()
  const none = { compiled: null, packages: null, linked: null }
  if (await isSettled(question)) return none
  // Why there is none, the reading says.
  const compiled = await compileAhead(repo).catch(() => null)
  await restartCompiler()
  const packages = packagesOf(repo)
  if (modules.length === 0 || packages === null || (await isSettled(question))) return { ...none, compiled }
  return { compiled, packages, linked: await linkAhead(modules, packages) }
}

function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>(done => setImmediate(done, false))])
}

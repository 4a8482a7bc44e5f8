import fs from 'node:fs'
import { showToModules } from './esm-exports.ts'

/**
 * Packages look for files that tell them where they run (`/.dockerenv`, `/run/WSL`) and expect no error from questions
 * that have none: Node's permissions throw even there. From now on what may not be read is not there, as it is for a
 * process that may not look into a folder.
 */
export function answerProbes(): void {
  if (!process.permission) return
  const { existsSync, statSync, lstatSync } = fs
  fs.existsSync = path => orIfDenied(() => existsSync(path), false)
  fs.statSync = quietly(statSync)
  fs.lstatSync = quietly(lstatSync)
  showToModules()
  offerConstants()
}

type Stat = typeof fs.statSync

/** `throwIfNoEntry: false` asks for undefined instead of an error. */
function quietly(stat: Stat): Stat {
  const asked = (path: fs.PathLike, options?: fs.StatSyncOptions) =>
    options?.throwIfNoEntry === false ? orIfDenied(() => stat(path, options), undefined) : stat(path, options)
  return Object.defineProperties(asked, Object.getOwnPropertyDescriptors(stat)) as Stat
}

function orIfDenied<T>(ask: () => T, denied: T): T {
  try {
    return ask()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED') return denied
    throw error
  }
}

/** What Emscripten compiles to JavaScript asks for these by a name that Node closes to jobs, though they are public. */
function offerConstants(): void {
  const { binding } = process as unknown as { binding?: (name: string) => unknown }
  if (typeof binding !== 'function') return
  // Loading them takes longer than a small job.
  const constants = () => ({
    fs: fs.constants,
    os: process.getBuiltinModule('node:os').constants,
    zlib: process.getBuiltinModule('node:zlib').constants,
  })
  Reflect.set(process, 'binding', (name: string) =>
    name === 'constants' ? constants() : binding.call(process, name),
  )
}

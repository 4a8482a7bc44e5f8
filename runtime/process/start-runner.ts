// Loads the program of a run with what V8 made of it when Longhouse was built (`scripts/build/runner-code.mjs`): compiling it takes
// a tenth of the processor time of a run that does nothing. V8 takes over only code that it has made itself, of a text of
// this length. Without such code, the program is compiled.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { constants, Script } from 'node:vm'
import type { Program } from '../../src/kept-code.ts'
import { builtRoot } from '../../src/root.ts'

const filename = builtRoot('runner-program.cjs')
const { version, versions, arch } = process
const cachedData = readIfThere(builtRoot(join('runner-code', `${version}-${versions.v8}-${arch}`)))
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  ...(cachedData && { cachedData }),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})
const program = script.runInThisContext() as Program
const module = { exports: {} }
program(module.exports, createRequire(filename), module, filename, builtRoot())

function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

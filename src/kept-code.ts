import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

/** What the build writes around a program, see `asFunction` in `scripts/build/script-text.mjs`. */
export type Program = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  filename: string,
  dirname: string,
) => void

/** A program that was compiled, and can write what V8 made of it since. */
export interface CompiledProgram {
  /** Runs it. */
  run(): void
  /** True when V8 took over what an earlier start had kept. */
  wasKept: boolean
  /** Keeps all functions that were compiled until now. Returns false if the folder is not writable. */
  keep(): boolean
}

/** Of what was kept: after it stands a checksum of it and of what it was made from. */
const checksumBytes = 4

/**
 * Compiles a program that the build made as one function, with the code that an earlier start kept in `folder`. Node's own
 * compile cache keeps the functions that were compiled while a module was loaded; two thousand more are compiled until an
 * instance is ready, and these are among those kept here.
 *
 * V8 takes the code of any source of the same length, and does not look for damage. So the code is kept under a checksum of
 * the program and of what decides about it, and is used only if it still has its own. Whatever is wrong with it, the
 * program is compiled without it.
 */
export function compileProgram(file: string, folder: string): CompiledProgram {
  const source = readFileSync(file)
  if (process.sourceMapsEnabled) return withSourceMap(file, source.toString('latin1'))
  const key = crc32(flags(), crc32(source))
  const path = join(folder, `${basename(file)}-${source.length}-${key.toString(16)}.code`)
  const kept = readKept(path, key)
  const script = new Script(source.toString('latin1'), {
    filename: file,
    ...(kept && { cachedData: kept }),
  })
  return {
    run: () => {
      const program = script.runInThisContext() as Program
      const module = { exports: {} }
      program(module.exports, createRequire(file), module, file, dirname(file))
    },
    wasKept: script.cachedDataRejected === false,
    keep: () => writeKept(path, key, () => script.createCachedData()),
  }
}

/** Node applies source maps to modules, and to no other scripts. Who wants to see sources can wait for a compiler. */
function withSourceMap(file: string, source: string): CompiledProgram {
  const module = new Module(file) as Module & { _compile(text: string, file: string): void }
  return {
    run: () => module._compile(`${source}\n(exports,require,module,__filename,__dirname)`, file),
    wasKept: false,
    keep: () => false,
  }
}

/** V8 takes over only code that was made under the same flags. */
function flags(): string {
  return [process.version, process.arch, process.env.NODE_OPTIONS, ...process.execArgv].join(' ')
}

function readKept(path: string, key: number): Buffer | null {
  try {
    const whole = readFileSync(path)
    const code = whole.subarray(0, -checksumBytes)
    return crc32(code, key) === whole.readUInt32LE(code.length) ? code : null
  } catch {
    return null
  }
}

/** Writes it aside and puts it in place whole. Two programs may do so at once. */
function writeKept(path: string, key: number, made: () => Buffer): boolean {
  const aside = `${path}.${process.pid}.tmp`
  try {
    // Before it is made, which takes as long as a hundred requests.
    closeSync(openSync(aside, 'w', 0o644))
    const code = made()
    const checksum = Buffer.alloc(checksumBytes)
    checksum.writeUInt32LE(crc32(code, key))
    writeFileSync(aside, Buffer.concat([code, checksum]))
    renameSync(aside, path)
    return true
  } catch {
    try {
      rmSync(aside, { force: true })
    } catch {
      // Not writable at all.
    }
    return false
  }
}

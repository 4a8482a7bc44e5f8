import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Writable } from 'node:stream'
import { barrierText, type OutputFile } from './output-barrier.ts'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

export interface OrderedWriting {
  /** Tells apart what two programs write that the job starts one after the other. Once its code is loaded. */
  markStarts(): void
}

/** In less time nothing is started that writes something. */
const nothingStartsWithinMs = 0.1

/**
 * Has this process write what it prints at once, however it is asked to: by `console`, `process.stdout` and
 * `process.stderr`, or `fs` and their numbers. The order of both is marked, see `output-barrier.ts`. A pipe that is
 * full holds the process up, as a file or a terminal would: nothing is lost when it ends, in whatever way.
 */
export function writeInOrder(mark: string): OrderedWriting {
  const { writeSync, fstatSync } = fs
  const identityOf = (file: OutputFile) => {
    try {
      const { dev, ino } = fstatSync(file, { bigint: true })
      return `${dev} ${ino}`
    } catch {
      return null
    }
  }
  const pipes = { 1: identityOf(1), 2: identityOf(2) }
  /** False once the job has closed it: by then, another file may have its number. */
  const isOutput = (file: unknown): file is OutputFile =>
    (file === 1 || file === 2) && pipes[file] !== null && identityOf(file) === pipes[file]
  let last: OutputFile | null = null
  let lastAt = 0
  let number = 0

  const writeAll = (file: OutputFile, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(file, bytes, at)
      } catch (error) {
        // A program that was started on the same pipe may have made it one that does not wait.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        Atomics.wait(pause, 0, 0, 1)
      }
    }
  }
  const turnTo = (file: OutputFile) => {
    if (file !== last || (performance.now() - lastAt >= nothingStartsWithinMs && mayStartPrograms()))
      bar(file)
  }
  const bar = (file: OutputFile) => {
    last = file
    const barrier = Buffer.from(barrierText(mark, { number: ++number, next: file }))
    for (const each of [file === 1 ? 2 : 1, file] as const) {
      if (!isOutput(each)) continue
      try {
        writeAll(each, barrier)
      } catch {
        // A file that the job has closed has no order.
      }
    }
  }
  const around = <R>(file: unknown, write: () => R): R => {
    if (!isOutput(file)) return write()
    turnTo(file)
    try {
      return write()
    } finally {
      lastAt = performance.now()
    }
  }

  const streamTo = (file: OutputFile) =>
    new OwnStream(file, bytes => {
      // What is printed after the job closed its output has no place to go to.
      if (isOutput(file)) around(file, () => writeAll(file, bytes))
    })
  for (const [name, file] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    let stream: OwnStream | undefined
    const get = () => {
      stream ??= streamTo(file)
      return stream
    }
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get })
  }
  for (const name of writers) replace(fs, name, (write, args) => around(args[0], () => write(...args)))
  // In one CommonJS file nobody has imported it yet; and this takes longer than all the rest.
  if (!bundled) syncBuiltinESMExports()

  return {
    markStarts: () => {
      // Loading it takes longer than the whole of a small job.
      if (!mayStartPrograms()) return
      const programs = process.getBuiltinModule('node:child_process')
      for (const name of starters) {
        replace(programs, name, (start, args) => {
          bar(last ?? 1)
          return start(...args)
        })
      }
      syncBuiltinESMExports()
    },
  }
}

const writers = ['writeSync', 'writevSync', 'write', 'writev', 'writeFileSync', 'appendFileSync'] as const
const starters = ['spawn', 'spawnSync', 'execSync', 'execFileSync', 'fork'] as const

type AnyFunction = (...args: unknown[]) => unknown

/** Puts another function in the place of one, with its name and all that hangs on it. */
function replace<Name extends string>(
  holder: Record<Name, unknown>,
  name: Name,
  instead: (original: AnyFunction, args: unknown[]) => unknown,
): void {
  const original = holder[name] as AnyFunction
  const own = (...args: unknown[]) => instead(original, args)
  Object.assign(holder, { [name]: Object.defineProperties(own, Object.getOwnPropertyDescriptors(original)) })
}

let startsPrograms = false

/** Whether the job has loaded what starts programs. */
function mayStartPrograms(): boolean {
  const { moduleLoadList = [] } = process as { moduleLoadList?: string[] }
  startsPrograms ||= moduleLoadList.includes('NativeModule child_process')
  return startsPrograms
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** As Node's own for a file: written when `write` returns, and never really closed. */
class OwnStream extends Writable {
  readonly fd: OutputFile
  readonly #put: (bytes: Uint8Array) => void

  constructor(fd: OutputFile, put: (bytes: Uint8Array) => void) {
    super({ decodeStrings: true })
    this.fd = fd
    this.#put = put
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    let fault: Error | null = null
    try {
      this.#put(chunk)
    } catch (error) {
      fault = error as Error
    }
    done(fault)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error)
    const { _undestroy: open } = this as unknown as { _undestroy(): void }
    open.call(this)
  }
}

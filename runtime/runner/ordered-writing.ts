import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Writable } from 'node:stream'
import { showToModules } from '../isolation/esm-exports.ts'
import { barrierText, type OutputFile } from './output-barrier.ts'

export interface OrderedWriting {
  /** Marks where the job starts a program, so that what two programs write stays apart. Call it once its code is loaded. */
  markStarts(): void
  /** Resolves when all output is written. A job may hold some back (`cork`), or have replaced `write` to capture it. */
  flush(): Promise<void>
}

/** No program can be started, and write something, in less time. */
const nothingStartsWithinMs = 0.1

/**
 * Makes this process write its output at once, whether that comes by `console`, `process.stdout` and `process.stderr`,
 * or by `fs` with their numbers. Barriers mark the order of both (`output-barrier.ts`). A full pipe blocks the process,
 * as a file or a terminal would: nothing is lost, however the process ends.
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
  /** False once the job has closed the output: another file may have its number then. */
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
        // A program that was started on the same pipe may have made it non-blocking.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        Atomics.wait(pause, 0, 0, 1)
      }
    }
  }
  const switchTo = (file: OutputFile) => {
    if (file !== last || (monotonicMs() - lastAt >= nothingStartsWithinMs && mayStartPrograms())) bar(file)
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
    switchTo(file)
    try {
      return write()
    } finally {
      lastAt = monotonicMs()
    }
  }

  const streamTo = (file: OutputFile) =>
    ownStream(file, bytes => {
      // What the job prints after it closed its output is lost.
      if (bytes.length > 0 && isOutput(file)) around(file, () => writeAll(file, bytes))
    })
  const streams: OwnStream[] = []
  for (const [name, file] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    let stream: OwnStream | undefined
    const get = () => {
      if (stream) return stream
      stream = streamTo(file)
      streams.push(stream)
      return stream
    }
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get })
  }
  for (const name of writers) replace(fs, name, (write, args) => around(args[0], () => write(...args)))
  showToModules()

  return {
    flush: async () => {
      await Promise.all(streams.map(stream => stream.flushed()))
    },
    markStarts: () => {
      // Loading `child_process` takes longer than a small job.
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

/** Replaces a function with another one that has its name and properties. */
function replace<Name extends string>(
  holder: Record<Name, unknown>,
  name: Name,
  instead: (original: AnyFunction, args: unknown[]) => unknown,
): void {
  const original = holder[name] as AnyFunction
  const own = (...args: unknown[]) => instead(original, args)
  Object.assign(holder, { [name]: Object.defineProperties(own, Object.getOwnPropertyDescriptors(original)) })
}

/** The clock of `performance`, whose module takes as long to load as the runner's own program. A job may replace this one. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

const { hrtime } = process
let startsPrograms = false

/** Whether the job has loaded `child_process`. */
function mayStartPrograms(): boolean {
  const { moduleLoadList = [] } = process as { moduleLoadList?: string[] }
  startsPrograms ||= moduleLoadList.includes('NativeModule child_process')
  return startsPrograms
}

const pause = new Int32Array(new SharedArrayBuffer(4))

interface OwnStream extends Writable {
  flushed(): Promise<void>
}

/**
 * Behaves like Node's own stream for a file: `write` returns when the text is written, and it is never really closed. Its
 * class is made with the first one, because loading streams takes longer than a small job, and many print nothing.
 */
function ownStream(fd: OutputFile, put: (bytes: Uint8Array) => void): OwnStream {
  const { Writable } = process.getBuiltinModule('node:stream')
  madeClass ??= class OwnStream extends Writable {
    readonly fd: OutputFile
    readonly #put: (bytes: Uint8Array) => void

    constructor(fd: OutputFile, put: (bytes: Uint8Array) => void) {
      super({ decodeStrings: true })
      this.fd = fd
      this.#put = put
    }

    flushed(): Promise<void> {
      return new Promise(done => super.write('', () => done()))
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
  return new madeClass(fd, put)
}

let madeClass: (new (fd: OutputFile, put: (bytes: Uint8Array) => void) => OwnStream) | undefined

import { constants, fstatSync, open, openSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import sonic from 'sonic-boom'
import type { Logger } from '../../../src/log.ts'

/**
 * What is written at once. A pipe takes 4096 bytes whole, so that lines of several processes never mix in it; a file takes any
 * number that is appended, and each write costs as much as making ten lines.
 */
const batchBytes = { pipe: 4000, file: 64_000 }
const flushMs = 250
/** What may wait for a slow disk or reader; lines beyond that are dropped. */
const waitingBytes = 4 * 1024 * 1024
const lookMs = 1000
const fileMode = 0o640

/**
 * Writes lines in batches, without ever waiting for the disk or for the reader of a pipe. Lines are ASCII and end with a newline.
 * Without a file they go to standard output. A file is opened again once it was renamed, and while it cannot be opened: requests
 * are served without a log rather than not at all.
 */
export class Lines {
  readonly #file: string | null
  readonly #log: Logger
  /** Null while the file cannot be opened. */
  #out: sonic.SonicBoom | null = null
  /** Which file is open: its device and inode. */
  #opened: Promise<string | null> = Promise.resolve(null)
  #batch = ''
  #batchBytes = batchBytes.pipe
  #timer: NodeJS.Timeout | null = null
  #lookedAt = performance.now()
  #looking = false
  #dropped = 0
  #droppedSaid = Number.NEGATIVE_INFINITY
  /** What was said of an outage that goes on: the file cannot be opened, or not be written. */
  readonly #said = { open: '', write: '' }
  #closed = false

  constructor(file: string | null, log: Logger) {
    this.#file = file
    this.#log = log
    try {
      this.#out = this.#write(file === null ? standardOutput() : openSync(file, 'a', fileMode))
      if (file !== null) this.#opened = identity(file)
    } catch (error) {
      this.#fault('open', error as Error)
    }
  }

  write(line: string): void {
    if (this.#closed) return
    if (this.#batch.length + line.length > this.#batchBytes) this.#flush()
    this.#batch += line
    this.#timer ??= setTimeout(this.#onTimer, flushMs).unref()
  }

  /** How many lines were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  /** Writes what waits and closes the file; gives up on a reader that takes nothing for a second. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#flush()
    const out = this.#out
    if (out === null) return
    let written = false
    await new Promise<void>(resolve => {
      const late = setTimeout(resolve, 1000)
      out.once('close', () => {
        written = true
        clearTimeout(late)
        resolve()
      })
      out.end()
    })
    if (!written) out.destroy()
  }

  #onTimer = (): void => {
    this.#timer = null
    this.#flush()
  }

  #flush(): void {
    if (this.#out === null) this.#drop(this.#batch)
    else if (this.#batch.length > 0) this.#out.write(this.#batch)
    this.#batch = ''
    void this.#look()
  }

  #write(fd: number): sonic.SonicBoom {
    this.#batchBytes = fstatSync(fd).isFile() ? batchBytes.file : batchBytes.pipe
    const out = new sonic.SonicBoom({ fd, sync: false, maxLength: waitingBytes, maxWrite: this.#batchBytes })
    out.on('drop', (batch: string) => this.#drop(batch))
    out.on('error', (error: Error) => this.#fault('write', error))
    out.on('write', () => {
      this.#said.write = ''
    })
    return out
  }

  #drop(batch: string): void {
    let lines = 0
    for (let i = batch.indexOf('\n'); i >= 0; i = batch.indexOf('\n', i + 1)) lines++
    this.#dropped += lines
    const now = performance.now()
    if (now - this.#droppedSaid < 60_000) return
    this.#droppedSaid = now
    this.#log.warn(
      'the access log cannot be written as fast as requests come: lines are dropped, and counted in the metrics',
    )
  }

  #fault(what: 'open' | 'write', error: Error): void {
    if (error.message === this.#said[what]) return
    this.#said[what] = error.message
    this.#log.error(
      { err: error },
      'the access log cannot be written; lines wait, and are dropped when there are too many',
    )
  }

  /** Opens the file anew when its name leads to another one, or to none. */
  async #look(): Promise<void> {
    const file = this.#file
    const now = performance.now()
    if (file === null || this.#looking || this.#closed || now - this.#lookedAt < lookMs) return
    this.#looking = true
    this.#lookedAt = now
    try {
      if (this.#out === null || (await identity(file)) !== (await this.#opened)) {
        const fd = await promisify(open)(file, 'a', fileMode)
        this.#out?.end()
        this.#out = this.#write(fd)
        this.#opened = identity(file)
      }
      this.#said.open = ''
    } catch (error) {
      this.#fault('open', error as Error)
    } finally {
      this.#looking = false
    }
  }
}

/** Which file has this name; null when there is none. */
async function identity(file: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(file)
    return `${dev} ${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Standard output without waiting. A write to a full pipe would block a thread until it is read, and with it the end of the
 * program, so the pipe is opened a second time, without blocking. A socket cannot be: the journal reads its own at once.
 */
function standardOutput(): number {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK)
  } catch {
    return 1
  }
}

import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export const logEnding = '.log'

export function logFile(runsDir: string, runId: string): string {
  return join(runsDir, `${runId}${logEnding}`)
}

/** Returns the log of a finished run; '' when it wrote nothing. */
export function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

export async function removeLog(file: string): Promise<void> {
  await rm(file, { force: true })
}

const removed =
  '[longhouse] the beginning of this log is gone: its file was removed while the run was going\n'

/**
 * The file of a log, to append to. It is made with the first text: most runs of most jobs print nothing. What the disk
 * refuses stays in memory, a few MiB at most, and is written with the next text: a full disk ends no run.
 */
export class LogFile {
  readonly #path: string
  readonly #unwritten: Buffer[] = []
  #fd: number | null = null

  constructor(path: string) {
    this.#path = path
  }

  append(text: string): void {
    this.#unwritten.push(Buffer.from(text))
  }

  /** Writes what was appended; false when the disk does not take all of it. */
  save(): boolean {
    try {
      while (this.#unwritten.length > 0) {
        const target = this.#open()
        const next = this.#unwritten[0] as Buffer
        const written = writeSync(target, next)
        if (written < next.length) this.#unwritten[0] = next.subarray(written)
        else this.#unwritten.shift()
      }
      return true
    } catch {
      return false
    }
  }

  /** Returns all that was appended, written or not, followed by `more`. */
  textWith(more: string): string {
    const rest = more === '' ? this.#unwritten : [...this.#unwritten, Buffer.from(more)]
    return readLog(this.#path) + Buffer.concat(rest).toString('utf8')
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  /** Returns the open file; a new one when the old one was removed. */
  #open(): number {
    if (this.#fd !== null && fstatSync(this.#fd).nlink === 0) {
      this.close()
      this.#unwritten.unshift(Buffer.from(removed))
    }
    if (this.#fd === null) {
      mkdirSync(dirname(this.#path), { recursive: true })
      this.#fd = openSync(this.#path, 'a', 0o600)
    }
    return this.#fd
  }
}

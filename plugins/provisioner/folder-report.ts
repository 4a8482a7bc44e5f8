import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { DriverError } from './driver.ts'

/** Enough for the report, which is the last line. */
const keptCharacters = 64 * 1024

/** Keeps the end of what the program for copies writes to standard error. */
export class FolderReport {
  #text = ''

  add(piece: Buffer): void {
    this.#text = `${this.#text}${piece.toString('utf8')}`.slice(-keptCharacters)
  }

  /**
   * The report, once the program has ended. Throws its words when it failed, and its last lines when it ended without a report:
   * it was killed, or is not there.
   */
  read(doing: string): unknown {
    const lines = this.#text.trim().split('\n')
    const report = jsonOf(lines.at(-1) ?? '')
    if (report === null) {
      const last = lines.slice(-5).join('\n').trim()
      throw new DriverError(`could not ${doing}: ${last || 'the program ended without a word'}`, {
        permanent: false,
      })
    }
    if (typeof report.error === 'string')
      throw new DriverError(`could not ${doing}: ${report.error}`, {
        permanent: false,
        ...(report.noSpace === true && { code: 'ENOSPC' }),
      })
    return report
  }
}

/** Writes a piece of what the program writes, and waits while `output` is full. Throws once it is destroyed. */
export async function passOn(output: Writable, piece: Buffer, signal: AbortSignal): Promise<void> {
  if (!output.destroyed && output.write(piece)) return
  const over = new AbortController()
  const waiting = { signal: AbortSignal.any([signal, over.signal]) }
  try {
    // A stream that is destroyed drains no longer.
    if (!output.destroyed)
      await Promise.race([once(output, 'drain', waiting), once(output, 'close', waiting)])
  } finally {
    over.abort()
  }
  if (output.destroyed)
    throw new DriverError('what the program writes is not taken any longer', { permanent: false })
}

function jsonOf(line: string): { error?: unknown; noSpace?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

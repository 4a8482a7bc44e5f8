import { folderFinding } from './contract.ts'
import { DriverError } from './driver.ts'

/** Enough for the report, which is the last line. */
const keptCharacters = 64 * 1024
const shownCharacters = 200

/** Keeps the end of what the program for copies writes to standard error. */
export class FolderReport {
  #text = ''

  add(piece: Buffer): void {
    this.#text = `${this.#text}${piece.toString('utf8')}`.slice(-keptCharacters)
  }

  /** The last line so far, such as the step that is in progress; empty without one. */
  lastLine(): string {
    return this.#text.trim().split('\n').at(-1)?.trim().slice(-shownCharacters) ?? ''
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
    if (typeof report.error === 'string') {
      const words = `could not ${doing}: ${report.error}`
      if (report.noSpace === true) throw new DriverError(words, { permanent: false, code: 'ENOSPC' })
      if (report.ofHost === true) throw new DriverError(words, { permanent: false })
      throw new DriverError(words, { permanent: false, code: folderFinding })
    }
    return report
  }
}

function jsonOf(line: string): { error?: unknown; noSpace?: unknown; ofHost?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

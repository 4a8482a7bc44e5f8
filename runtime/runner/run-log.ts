import type { Clock } from '../../src/clock.ts'
import { maskedText } from '../../src/masking/masked-text.ts'
import { LogFile } from './log-file.ts'
import { type LogStream, withHeads } from './log-line.ts'
import { createLogTail, type LogTail } from './log-tail.ts'
import { beginning, followEnded, type LogPiece, leftOutLine, type OpenLog } from './open-log.ts'

/** The log of a run that is in progress. */
export interface RunLog extends OpenLog {
  write(stream: LogStream, chunk: Buffer): void
  /** Masks these values from now on, also one that comes in pieces. */
  mask(values: Iterable<string>): void
  /** Returns what was written so far, as it is kept, with a marker where the middle was left out. */
  text(): string
  /**
   * Puts the last part on disk and closes the file. False when the disk does not take it at the moment: then all of it
   * stays in memory, and a later call tries again.
   */
  end(): boolean
}

/** How much of a log is kept, half of it its beginning, in bytes that the run wrote: the heads of lines do not count. */
const usualBytes = 1024 * 1024
/** Less of very short lines is kept, for their heads weigh more than they do. In characters of what is kept. */
const mostKept = 2 * 1024 * 1024

/**
 * Opens the log of a run: its beginning goes to the file at once, its end is kept in memory until the run ends. Of a longer log than
 * `keptBytes`, the middle is left out.
 */
export function createRunLog(file: string, clock: Clock, keptBytes = usualBytes): RunLog {
  return new HeadAndTail(file, clock, keptBytes)
}

class HeadAndTail implements RunLog {
  readonly #clock: Clock
  readonly #file: LogFile
  readonly #streams = { out: maskedText(), err: maskedText() }
  readonly #followers = new Set<(piece: LogPiece | null) => void>()
  readonly #tail: LogTail
  /** How many bytes of the run still belong to the beginning. */
  #headLeft: number
  /** Characters of the beginning, and of all that followed it. */
  #headKept = 0
  #tailKept = 0
  /** The stream whose line is not at its end. */
  #open: LogStream | null = null
  #ended = false

  constructor(path: string, clock: Clock, keptBytes: number) {
    this.#headLeft = keptBytes / 2
    this.#tail = createLogTail({ writtenBytes: keptBytes / 2, textLength: mostKept })
    this.#file = new LogFile(path)
    this.#clock = clock
  }

  write(stream: LogStream, chunk: Buffer): void {
    this.#add(stream, searchable(this.#streams[stream].read(chunk)))
  }

  mask(values: Iterable<string>): void {
    for (const each of Object.values(this.#streams)) each.mask(values)
  }

  text(): string {
    return this.#file.textWith(this.#ended ? '' : this.#lastPart())
  }

  from(position: number, most: number): { text: string; next: number } {
    const end = this.#headKept + this.#tailKept
    const at = position < 0 || position > end ? 0 : position
    if (at < this.#headKept) return this.#fromHead(at, most)
    const { text, leftOut } = this.#tail.kept()
    const tailFrom = end - text.length
    if (at < tailFrom) return { text: leftOutLine(leftOut), next: tailFrom }
    const part = beginning(text.slice(at - tailFrom), most)
    return { text: part, next: at + part.length }
  }

  follow(onPiece: (piece: LogPiece | null) => void): () => void {
    if (this.#ended) return followEnded(onPiece)
    this.#followers.add(onPiece)
    return () => this.#followers.delete(onPiece)
  }

  end(): boolean {
    if (!this.#ended) {
      for (const name of ['out', 'err'] as const) this.#add(name, searchable(this.#streams[name].end()))
      const last = this.#lastPart()
      if (last !== '') this.#file.append(last)
    }
    this.#ended = true
    const saved = this.#file.save()
    this.#file.close()
    this.#notify(null)
    this.#followers.clear()
    return saved
  }

  /** Adds text to the beginning while that has room, and the rest of it to the end. */
  #add(stream: LogStream, text: string): void {
    const [forHead, rest] = splitAt(text, this.#headLeft)
    if (forHead !== '') {
      const piece = this.#pieceOf(stream, forHead)
      this.#headKept += piece.kept.length
      const full = rest !== '' || this.#headKept >= mostKept
      this.#headLeft = full ? 0 : this.#headLeft - Buffer.byteLength(forHead)
      this.#file.append(piece.kept)
      this.#file.save()
      this.#notify(piece)
    }
    if (rest !== '') {
      const startsLine = this.#open !== stream
      const piece = this.#pieceOf(stream, rest)
      this.#tailKept += piece.kept.length
      this.#tail.add(piece.kept, Buffer.byteLength(rest), startsLine)
      this.#notify(piece)
    }
  }

  #pieceOf(stream: LogStream, text: string): LogPiece {
    const { kept, broken, open } = withHeads(text, { at: this.#clock.now(), stream, open: this.#open })
    this.#open = open
    const from = this.#headKept + this.#tailKept
    return { written: broken + text, kept, from, to: from + kept.length }
  }

  #notify(piece: LogPiece | null): void {
    for (const follower of this.#followers) follower(piece)
  }

  /** What follows the beginning. It goes to the file when the run has ended. */
  #lastPart(): string {
    const { text, leftOut } = this.#tail.kept()
    return leftOut === 0 ? text : leftOutLine(leftOut) + text
  }

  #fromHead(at: number, most: number): { text: string; next: number } {
    const whole = this.text()
    const head = whole.slice(0, whole.length - this.#lastPart().length)
    // Counted from its end: the file, and with it the beginning, may have been removed.
    const rest = head.slice(Math.max(0, head.length - this.#headKept + at))
    const part = beginning(rest, most)
    return { text: part, next: this.#headKept - rest.length + part.length }
  }
}

/** With a sign in place of each NUL: `grep` and other programs would take the file for a binary one. */
function searchable(text: string): string {
  return text.replaceAll('\0', '\u2400')
}

/** Splits a text into as many whole characters as fit into that many bytes, and the rest. */
function splitAt(text: string, bytes: number): [string, string] {
  if (bytes <= 0) return ['', text]
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return [text, '']
  const all = Buffer.from(text)
  let end = bytes
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--
  return [all.toString('utf8', 0, end), all.toString('utf8', end)]
}

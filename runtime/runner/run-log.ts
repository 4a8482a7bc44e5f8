import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { maskedText } from '../masking/masked-text.ts'
import { type LogStream, lineHead } from './log-line.ts'
import { createLogTail } from './log-tail.ts'
import { beginning, followEnded, type LogPiece, leftOutLine, type OpenLog } from './open-log.ts'

/** The log of a run that is going. */
export interface RunLog extends OpenLog {
  write(stream: LogStream, chunk: Buffer): void
  /** From now on these values are masked, also one that comes in pieces. */
  mask(values: Iterable<string>): void
  /** What was written so far, as it is kept, with a marker where the middle was left out. */
  text(): string
  /**
   * Puts the last part on disk and closes the file. False when the disk takes nothing at the moment: then all of it is
   * still at hand, and it may be tried again.
   */
  end(): boolean
}

/** How much of a log's beginning and of its end is kept: bytes that the run wrote, whatever the heads of its lines take. */
const headBytes = 512 * 1024
const tailBytes = 512 * 1024
/** Of very short lines less is kept, for their heads weigh more than they do. */
const mostKept = 2 * 1024 * 1024

export const logEnding = '.log'

export function logFile(runsDir: string, runId: string): string {
  return join(runsDir, `${runId}${logEnding}`)
}

/** A finished run's log; '' when it wrote nothing. */
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

/**
 * The file comes with the first byte: most runs of most jobs print nothing. What the disk refuses is held in memory,
 * a few MiB at most, and goes there with the next piece that it takes: a full disk ends no run and no runtime.
 */
export function createRunLog(file: string, clock: Clock): RunLog {
  const streams = { out: maskedText(), err: maskedText() }
  const followers = new Set<(piece: LogPiece | null) => void>()
  const tail = createLogTail({ writtenBytes: tailBytes, textLength: mostKept })
  let fd: number | null = null
  let headLeft = headBytes
  let headKept = 0
  let tailKept = 0
  /** The stream whose line is not at its end; the other one begins a line of its own. */
  let open: LogStream | null = null
  /** What belongs into the file and is not there yet. */
  const unwritten: Buffer[] = []
  let ended = false

  /** The open file; a new one when somebody removed it. */
  const opened = (): number => {
    if (fd !== null && fstatSync(fd).nlink === 0) {
      close()
      unwritten.unshift(Buffer.from(removed))
    }
    if (fd !== null) return fd
    mkdirSync(dirname(file), { recursive: true })
    fd = openSync(file, 'a', 0o600)
    return fd
  }
  const close = () => {
    if (fd !== null) closeSync(fd)
    fd = null
  }
  const save = (): boolean => {
    try {
      while (unwritten.length > 0) {
        const target = opened()
        const next = unwritten[0] as Buffer
        const written = writeSync(target, next)
        if (written < next.length) unwritten[0] = next.subarray(written)
        else unwritten.shift()
      }
      return true
    } catch {
      return false
    }
  }

  /** The text with a head on each line that begins in it. */
  const headed = (stream: LogStream, text: string): LogPiece => {
    const head = lineHead(clock.now(), stream)
    const broken = open !== null && open !== stream ? '\n' : ''
    const first = open === stream ? '' : head
    open = text.endsWith('\n') ? null : stream
    const kept = broken + first + text.replace(/\n(?!$)/g, () => `\n${head}`)
    const from = headKept + tailKept
    return { written: broken + text, kept, from, to: from + kept.length }
  }

  const take = (stream: LogStream, text: string) => {
    const [forHead, rest] = splitAt(text, headLeft)
    if (forHead !== '') {
      const piece = headed(stream, forHead)
      headKept += piece.kept.length
      headLeft = rest !== '' || headKept >= mostKept ? 0 : headLeft - Buffer.byteLength(forHead)
      unwritten.push(Buffer.from(piece.kept))
      save()
      tell(piece)
    }
    if (rest !== '') {
      const startsLine = open !== stream
      const piece = headed(stream, rest)
      tailKept += piece.kept.length
      tail.add(piece.kept, Buffer.byteLength(rest), startsLine)
      tell(piece)
    }
  }
  const tell = (piece: LogPiece | null) => {
    for (const follower of followers) follower(piece)
  }
  /** What follows the head, in the file once the run has ended. */
  const lastPart = (): string => {
    const { text, leftOut } = tail.kept()
    return leftOut === 0 ? text : leftOutLine(leftOut) + text
  }
  const text = () =>
    readLog(file) +
    Buffer.concat([...unwritten, ...(ended ? [] : [Buffer.from(lastPart())])]).toString('utf8')

  return {
    write: (stream, chunk) => take(stream, streams[stream].read(chunk)),
    mask: values => {
      for (const each of Object.values(streams)) each.mask(values)
    },
    text,
    from: (position, most) => {
      const at = position < 0 || position > headKept + tailKept ? 0 : position
      const { text: last, leftOut } = tail.kept()
      const tailFrom = headKept + tailKept - last.length
      if (at < headKept) {
        const whole = text()
        const head = whole.slice(0, whole.length - lastPart().length)
        // Counted from its end: somebody may have removed the beginning.
        const rest = head.slice(Math.max(0, head.length - headKept + at))
        const part = beginning(rest, most)
        return { text: part, next: headKept - rest.length + part.length }
      }
      if (at < tailFrom) return { text: leftOutLine(leftOut), next: tailFrom }
      const part = beginning(last.slice(at - tailFrom), most)
      return { text: part, next: at + part.length }
    },
    follow: onPiece => {
      if (ended) return followEnded(onPiece)
      followers.add(onPiece)
      return () => followers.delete(onPiece)
    },
    end: () => {
      if (!ended) for (const name of ['out', 'err'] as const) take(name, streams[name].end())
      const last = ended ? '' : lastPart()
      if (last.length > 0) unwritten.push(Buffer.from(last))
      ended = true
      const saved = save()
      close()
      tell(null)
      followers.clear()
      return saved
    },
  }
}

const removed =
  '[longhouse] the beginning of this log is gone: its file was removed while the run was going\n'

/** The text in two: so much of it as has that many bytes, in whole characters, and the rest. */
function splitAt(text: string, bytes: number): [string, string] {
  if (bytes <= 0) return ['', text]
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return [text, '']
  const all = Buffer.from(text)
  let end = bytes
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--
  return [all.toString('utf8', 0, end), all.toString('utf8', end)]
}

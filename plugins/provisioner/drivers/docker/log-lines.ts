import { StringDecoder } from 'node:string_decoder'
import type { InstanceRef, LogEntry, LogWindow } from '../../driver.ts'
import { ownContainers } from './discovery.ts'
import type { Engine } from './engine.ts'

/** A line that is longer is cut: the program may never end it. */
const longestLine = 64 * 1024
const headerBytes = 8

/**
 * The log of an instance's container, line by line, as fast as it is read. Nothing when there is no container. The engine counts
 * the parts of a long line one by one, so it is asked for more, and a line whose beginning it left out is dropped.
 */
export async function* containerLog(
  engine: Engine,
  ref: InstanceRef,
  { since, until, tail, follow }: LogWindow,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  const [container] = await ownContainers(engine, ref)
  if (!container) return
  const { id, name } = container
  const open = (parts: number | null, following: boolean) => {
    const query = {
      ...{ stdout: true, stderr: true, timestamps: true, follow: following },
      ...(parts !== null && { tail: parts }),
      ...(since !== null && { since: since / 1000 }),
      ...(until !== null && { until: until / 1000 }),
    }
    const request = { method: 'GET', path: `/containers/${id}/logs`, query } as const
    return engine.stream(`read the log of ${name}`, request, signal)
  }
  if (tail === null) return yield* linesOf(open(null, follow))
  // The engine takes the newest first, and only then those of the time.
  const isBounded = since !== null || until !== null
  const newest = await newestLines(parts => open(parts, false), tail, isBounded)
  if (follow) yield* linesAfter(open(newest.parts, true), newest)
  else yield* newest.lines
}

/** What the newest lines are, and how to read them again: `parts` of the log, or all with null, without its first lines. */
interface Newest {
  lines: LogEntry[]
  parts: number | null
  leftOut: number
}

/** Reads more and more of a log, until the beginning of each of its newest `most` lines is there. */
export async function newestLines(
  open: (parts: number | null) => AsyncIterable<Buffer>,
  most: number,
  all = false,
): Promise<Newest> {
  const few = most + 2
  for (const parts of all ? [null] : [few, few * 8]) {
    const newest = await readNewest(open(parts), parts, most)
    if (newest) return newest
  }
  return (await readNewest(open(null), null, most)) as Newest
}

/** Null when the beginning of one of the lines may stand before what was read. */
async function readNewest(
  log: AsyncIterable<Buffer>,
  parts: number | null,
  most: number,
): Promise<Newest | null> {
  const reading = { parts: 0 }
  const lines: ReadLine[] = []
  let leftOut = 0
  for await (const line of linesOf(log, reading)) {
    lines.push(line)
    if (lines.length <= most) continue
    lines.shift()
    leftOut++
  }
  if (parts === null || reading.parts < parts) return { lines, parts: null, leftOut }
  return lines.some(({ isFirst }) => isFirst) ? null : { lines, parts, leftOut }
}

/** The newest lines and each new one; a line that came meanwhile may have pushed the beginning of another out. */
export async function* linesAfter(
  log: AsyncIterable<Buffer>,
  { parts, leftOut }: Omit<Newest, 'lines'>,
): AsyncGenerator<LogEntry> {
  let number = 0
  for await (const line of linesOf(log)) {
    const mayHaveBegunBefore = line.isFirst && parts !== null && line.part < parts
    if (number++ >= leftOut && !mayHaveBegunBefore) yield line
  }
}

/** A line with where it stands in what was read. */
interface ReadLine extends LogEntry {
  /** The parts of the log before its first. */
  part: number
  /** The first of its stream. */
  isFirst: boolean
}

/** A line that has begun. */
interface Begun {
  at: number | null
  text: string
  isTooLong: boolean
  part: number
  isFirst: boolean
  decoder: StringDecoder
}

/**
 * Takes the frames of a log apart: each has an eight-byte header (stream, three zeros, length as big-endian 32 bits), then the
 * time, a space, and what was written. The engine splits long lines; a part that does not end with a newline goes on in the
 * next frame of its stream. `reading` counts the frames.
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  reading: { parts: number } = { parts: 0 },
): AsyncGenerator<ReadLine> {
  let rest: Buffer = Buffer.alloc(0)
  const begun = new Map<LogEntry['stream'], Begun>()
  const seen = new Set<LogEntry['stream']>()
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4)
      if (rest.length < end) break
      const stream = rest[0] === 2 ? 'err' : 'out'
      const { at, written } = partOf(rest.subarray(headerBytes, end))
      rest = rest.subarray(end)
      const line = begun.get(stream) ?? newLine(at, reading.parts, !seen.has(stream))
      seen.add(stream)
      reading.parts++
      const isEnd = written.at(-1) === 0x0a
      lengthen(line, isEnd ? written.subarray(0, -1) : written)
      if (isEnd) begun.delete(stream)
      else begun.set(stream, line)
      if (isEnd) yield readLine(stream, line, true)
    }
  }
  for (const [stream, line] of begun) yield readLine(stream, line, false)
}

function partOf(payload: Buffer): { at: number | null; written: Buffer } {
  const space = payload.indexOf(0x20)
  const stamp = Date.parse(payload.subarray(0, Math.max(0, space)).toString('latin1'))
  if (Number.isNaN(stamp)) return { at: null, written: payload }
  return { at: stamp, written: payload.subarray(space + 1) }
}

function newLine(at: number | null, part: number, isFirst: boolean): Begun {
  return { at, text: '', isTooLong: false, part, isFirst, decoder: new StringDecoder('utf8') }
}

function lengthen(line: Begun, written: Buffer): void {
  if (!line.isTooLong) line.text += line.decoder.write(written)
  line.isTooLong ||= line.text.length > longestLine
}

function readLine(
  stream: LogEntry['stream'],
  { at, text, isTooLong, part, isFirst }: Begun,
  isEnded: boolean,
): ReadLine {
  const isCut = isTooLong || !isEnded
  return { at, stream, text: text.replace(/\r$/, '').slice(0, longestLine), isCut, part, isFirst }
}

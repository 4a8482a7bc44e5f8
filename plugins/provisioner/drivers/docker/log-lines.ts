import { StringDecoder } from 'node:string_decoder'
import type { InstanceRef, LogEntry, LogWindow } from '../../driver.ts'
import { ownContainers } from './discovery.ts'
import type { Engine } from './engine.ts'

/** A line that is longer is cut: the program may never end it. */
const longestLine = 64 * 1024
const headerBytes = 8

/** The log of an instance's container, line by line, as fast as it is read. Nothing when there is no container. */
export async function* containerLog(
  engine: Engine,
  ref: InstanceRef,
  { since, until, tail, follow }: LogWindow,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  const [container] = await ownContainers(engine, ref)
  if (!container) return
  const query = {
    ...{ stdout: true, stderr: true, timestamps: true, follow },
    ...(tail !== null && { tail }),
    ...(since !== null && { since: since / 1000 }),
    ...(until !== null && { until: until / 1000 }),
  }
  const request = { method: 'GET', path: `/containers/${container.id}/logs`, query } as const
  yield* linesOf(engine.stream(`read the log of ${container.name}`, request, signal))
}

/** A line that has begun. */
interface Begun {
  at: number | null
  text: string
  decoder: StringDecoder
}

/**
 * Takes the frames of a log apart: each has an eight-byte header (stream, three zeros, length as big-endian 32 bits), then the
 * time, a space, and what was written. The engine splits long lines; a part that does not end with a newline goes on in the
 * next frame of its stream.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<LogEntry> {
  let rest: Buffer = Buffer.alloc(0)
  const begun = new Map<LogEntry['stream'], Begun>()
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4)
      if (rest.length < end) break
      const stream = rest[0] === 2 ? 'err' : 'out'
      const line = lineOf(stream, rest.subarray(headerBytes, end), begun)
      rest = rest.subarray(end)
      if (line) yield line
    }
  }
  for (const [stream, { at, text }] of begun) yield { at, stream, text }
}

function lineOf(
  stream: LogEntry['stream'],
  payload: Buffer,
  begun: Map<LogEntry['stream'], Begun>,
): LogEntry | null {
  const space = payload.indexOf(0x20)
  const stamp = Date.parse(payload.subarray(0, Math.max(0, space)).toString('latin1'))
  const written = Number.isNaN(stamp) ? payload : payload.subarray(space + 1)
  const ends = written.at(-1) === 0x0a
  const line = begun.get(stream) ?? {
    at: Number.isNaN(stamp) ? null : stamp,
    text: '',
    decoder: new StringDecoder('utf8'),
  }
  if (line.text.length < longestLine)
    line.text += line.decoder.write(ends ? written.subarray(0, -1) : written)
  if (!ends) {
    begun.set(stream, line)
    return null
  }
  begun.delete(stream)
  return { at: line.at, stream, text: line.text.replace(/\r$/, '').slice(0, longestLine) }
}

import { once } from 'node:events'
import { dial, type Where } from './secure-edge.fixture.ts'

/** A header as it is, on the wire: nothing about it is checked or changed. */
export type RawHeader = readonly [name: string, value: string]

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
export const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8 }

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Headers in the plainest form of HPACK: literal, not indexed, not compressed. */
function packed(headers: readonly RawHeader[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]))
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

const endStream = 1
const endHeaders = 4

/** One request as frames. Without `body`, the headers end it. */
export function requestFrames(stream: number, headers: readonly RawHeader[], body?: string): Buffer {
  const ends = body === undefined
  const head = frame(frameTypes.headers, endHeaders | (ends ? endStream : 0), stream, packed(headers))
  return ends ? head : Buffer.concat([head, frame(frameTypes.data, endStream, stream, Buffer.from(body))])
}

/** What a connection received: frames, in order. */
export interface Frame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

/** A connection of HTTP/2 on which any bytes can be sent. */
export async function rawSession(edge: Where, host: string) {
  const socket = await dial(edge, host, 'h2')
  let bytes: Buffer = Buffer.alloc(0)
  const frames: Frame[] = []
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3)
      frames.push({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        stream: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      })
      bytes = bytes.subarray(end)
    }
  })
  const closed = once(socket, 'close')
  socket.write(Buffer.concat([preface, frame(frameTypes.settings, 0, 0), frame(frameTypes.settings, 1, 0)]))
  return { socket, frames, closed, send: (...all: Buffer[]) => void socket.write(Buffer.concat(all)) }
}

import { badRequest } from '../../src/http/problem.ts'

/** Packet lines, the framing of git's protocol: gitprotocol-common(5). */
export const flushPacket = Buffer.from('0000')

/** The most that one packet may carry. */
const longestPacket = 65_516

/** One packet: its length in four hexadecimal digits, then the data. */
export function packet(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

/** The streams in one answer: the data itself, and text that the client shows as `remote: …`. */
const bands = { data: 1, words: 2 } as const

/** Packets of one band, as many as the data needs: gitprotocol-pack(5), "side-band-64k". */
export function onBand(band: keyof typeof bands, data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data)
  const most = longestPacket - 1
  const pieces = Array.from({ length: Math.max(1, Math.ceil(bytes.length / most)) }, (_, i) =>
    packet(Buffer.concat([Buffer.from([bands[band]]), bytes.subarray(i * most, (i + 1) * most)])),
  )
  return Buffer.concat(pieces)
}

/** A body as it is read: packets first, then anything. */
export interface PacketReader {
  /**
   * The packets up to the next flush packet. Throws `bad-request` if they are not packets, or more than `limitBytes`;
   * null if the body is empty.
   */
  lines(limitBytes: number): Promise<Buffer[] | null>
  /** What follows. */
  rest(): AsyncGenerator<Uint8Array>
}

export function readPackets(body: AsyncIterable<Uint8Array>): PacketReader {
  const source = body[Symbol.asyncIterator]()
  let buffer = Buffer.alloc(0)
  /** Returns false at the end of the body. */
  const more = async () => {
    const { done, value } = await source.next()
    if (!done) buffer = Buffer.concat([buffer, value])
    return !done
  }
  const has = async (length: number) => {
    while (buffer.length < length) if (!(await more())) return false
    return true
  }
  const take = (length: number) => {
    const taken = buffer.subarray(0, length)
    buffer = buffer.subarray(length)
    return taken
  }
  return {
    lines: async limitBytes => {
      const lines: Buffer[] = []
      for (let left = limitBytes; ; ) {
        if (!(await has(4))) {
          if (lines.length === 0 && buffer.length === 0) return null
          throw badRequest('The body ends in the middle of a request of git.')
        }
        const text = take(4).toString('latin1')
        const length = /^[0-9a-f]{4}$/i.test(text) ? Number.parseInt(text, 16) : -1
        if (length === 0) return lines
        left -= length
        if (length <= 4 || length > longestPacket + 4 || left < 0)
          throw badRequest('The body is not a request of git, or names too many branches.')
        if (!(await has(length - 4))) throw badRequest('The body ends in the middle of a request of git.')
        lines.push(Buffer.from(take(length - 4)))
      }
    },
    rest: async function* () {
      if (buffer.length > 0) yield buffer
      buffer = Buffer.alloc(0)
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
    },
  }
}

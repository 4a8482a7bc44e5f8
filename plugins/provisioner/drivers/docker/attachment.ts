import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { DriverError } from '../../driver.ts'

const attachWithinMs = 30_000

/** Both directions of a container's standard streams. What comes out is framed: see `framesOf`. */
export function attach(socketPath: string, containerId: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new DriverError(`could not attach to a container: ${why}`, { permanent: false }))
    const sent = request({
      socketPath,
      method: 'POST',
      path: `/containers/${containerId}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
      headers: { Host: 'docker', Connection: 'Upgrade', Upgrade: 'tcp' },
    })
    const timer = setTimeout(
      () => sent.destroy(new Error(`no answer within ${attachWithinMs / 1000} s`)),
      attachWithinMs,
    )
    sent.on('close', () => clearTimeout(timer))
    sent.on('error', error => fail(error.message))
    sent.on('response', answer => {
      answer.resume()
      fail(`the engine answers ${answer.statusCode}`)
    })
    sent.on('upgrade', (_, socket: Duplex, head: Buffer) => {
      clearTimeout(timer)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    sent.end()
  })
}

export interface Frame {
  stream: 'output' | 'error'
  bytes: Buffer
}

const headerBytes = 8

/**
 * Takes apart what Docker sends for a container without a terminal: before each piece, one byte for the stream, three of zero,
 * and four for the length. A stream that ends within a frame ends early; the container's own report says whether it was done.
 */
export async function* framesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let header = Buffer.alloc(0)
  let left = 0
  let kind: Frame['stream'] = 'output'
  for await (const piece of stream) {
    let rest = piece
    while (rest.length > 0) {
      if (left === 0) {
        const needed = headerBytes - header.length
        header = Buffer.concat([header, rest.subarray(0, needed)])
        rest = rest.subarray(needed)
        if (header.length < headerBytes) break
        kind = header[0] === 2 ? 'error' : 'output'
        left = header.readUInt32BE(4)
        header = Buffer.alloc(0)
        continue
      }
      const bytes = rest.subarray(0, left)
      left -= bytes.length
      rest = rest.subarray(bytes.length)
      yield { stream: kind, bytes }
    }
  }
}

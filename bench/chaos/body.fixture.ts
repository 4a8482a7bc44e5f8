import { createHash } from 'node:crypto'

/** What an instance answers: it names itself and the request in every line. */
export function bodyOf(instanceId: string, nonce: string, size: number): string {
  const line = `${instanceId} ${nonce}\n`
  return line.repeat(Math.ceil(size / line.length)).slice(0, Math.max(size, line.length))
}

/** The answer to an upload. */
export function receiptOf(instanceId: string, nonce: string, digest: string): string {
  return `${instanceId} ${nonce}\n${digest}\n`
}

export function digestOf(body: string | Buffer): string {
  return createHash('sha1').update(body).digest('hex')
}

/** A WebSocket's text frame, of at most 125 bytes. A client masks its own. */
export function textFrame(text: string, masked: boolean): Buffer {
  const payload = Buffer.from(text)
  if (!masked) return Buffer.concat([Buffer.from([0x81, payload.length]), payload])
  // A mask of zeros leaves the payload readable.
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

export interface Frame {
  opcode: number
  payload: Buffer
}

/** Takes whole short frames from the front of the bytes. */
export function framesIn(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  let rest = bytes
  while (rest.length >= 2) {
    const second = rest[1] as number
    const head = second & 0x80 ? 6 : 2
    const size = second & 127
    if (rest.length < head + size) break
    const payload = Buffer.from(rest.subarray(head, head + size))
    if (head === 6)
      for (let i = 0; i < size; i++) payload[i] = (payload[i] as number) ^ (rest[2 + (i % 4)] as number)
    frames.push({ opcode: (rest[0] as number) & 15, payload })
    rest = rest.subarray(head + size)
  }
  return { frames, rest }
}

/** The head of a frame is at most this long (RFC 6455, section 5.2). */
const longestHead = 14
const closeOpcode = 8
/** The reason of a close frame, together with its code, must fit in the payload of a control frame. */
const mostReasonBytes = 123

/** Follows the frames of one direction of a WebSocket, so that nothing is put in the middle of one. */
export class FrameTracker {
  /** What has arrived of a frame's head; its size is known once two bytes are. */
  readonly #head = Buffer.alloc(longestHead)
  #headBytes = 0
  /** Bytes of the payload that are still to come. */
  #left = 0
  #closed = false

  /** Whether the bytes so far end with a whole frame. */
  get between(): boolean {
    return this.#headBytes === 0 && this.#left === 0
  }

  /** Whether a close frame has begun, after which there is no other frame. */
  get closed(): boolean {
    return this.#closed
  }

  /** Follows these bytes; with `toBoundary`, only to the end of the frame that is in progress. Returns how many it followed. */
  follow(chunk: Buffer, toBoundary = false): number {
    let at = 0
    while (at < chunk.length && !(toBoundary && this.between)) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, chunk.length - at)
        this.#left -= size
        at += size
        continue
      }
      this.#head[this.#headBytes++] = chunk[at++] as number
      if (this.#headBytes >= 2 && this.#headBytes === headSize(this.#head)) {
        this.#left = payloadSize(this.#head)
        this.#headBytes = 0
        if (((this.#head[0] as number) & 15) === closeOpcode) this.#closed = true
      }
    }
    return at
  }
}

function headSize(head: Buffer): number {
  const second = head[1] as number
  const length = second & 127
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 128 ? 4 : 0)
}

function payloadSize(head: Buffer): number {
  const length = (head[1] as number) & 127
  if (length === 126) return head.readUInt16BE(2)
  return length === 127 ? Number(head.readBigUInt64BE(2)) : length
}

/** A frame that closes a WebSocket: 1001, "going away". Frames towards a server are masked. */
export function closeFrame(reason: string, masked: boolean): Buffer {
  const text = Buffer.from(reason)
  let size = Math.min(text.length, mostReasonBytes)
  // Never ends in the middle of a character.
  while (size < text.length && ((text[size] as number) & 0xc0) === 0x80) size--
  const payload = Buffer.concat([Buffer.from([1001 >> 8, 1001 & 255]), text.subarray(0, size)])
  if (!masked) return Buffer.concat([Buffer.from([0x80 | closeOpcode, payload.length]), payload])
  const mask = Buffer.from(Array.from({ length: 4 }, () => Math.floor(Math.random() * 256)))
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (mask[i % 4] as number)
  return Buffer.concat([Buffer.from([0x80 | closeOpcode, 0x80 | payload.length]), mask, payload])
}

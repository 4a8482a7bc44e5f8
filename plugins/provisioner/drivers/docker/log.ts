const headerBytes = 8

/**
 * The text of a container's log as the engine sends it: frames of one stream each, of an eight-byte header (stream,
 * three zeros, length as big-endian 32 bits) and a payload. A frame that was cut off gives what is there of it.
 */
export function demultiplex(log: Buffer): string {
  const payloads: Buffer[] = []
  let at = 0
  while (at + headerBytes <= log.length) {
    const begin = at + headerBytes
    at = begin + log.readUInt32BE(at + 4)
    payloads.push(log.subarray(begin, at))
  }
  return Buffer.concat(payloads).toString('utf8')
}

/** The last lines of a log, oldest first, without the empty one after the last newline. */
export function lastLines(text: string, lines: number): string[] {
  const all = text.split(/\r?\n/)
  if (all.at(-1) === '') all.pop()
  return lines > 0 ? all.slice(-lines) : []
}

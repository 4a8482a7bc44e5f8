const blockBytes = 64 * 1024
/** 8 MiB: more than that is used only while many answers wait for slow clients. */
const mostFree = 128
const free: Buffer[] = []

/** A copy of bytes that is valid until `release`. Large ones share blocks, which spares most of the garbage collector's work. */
export function keepCopy(bytes: Buffer): { copy: Buffer; release: (() => void) | undefined } {
  if (bytes.length < blockBytes / 8 || bytes.length > blockBytes)
    return { copy: Buffer.from(bytes), release: undefined }
  const block = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
  bytes.copy(block)
  const release = () => {
    if (free.length < mostFree) free.push(block)
  }
  return { copy: block.subarray(0, bytes.length), release }
}

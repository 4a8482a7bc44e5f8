import { join } from 'node:path'

/**
 * Git’s paths are bytes; ours are strings. A name that is not UTF-8 stays distinct and complete: each of its bytes
 * from 0x80 on becomes a lone surrogate, U+DC80 to U+DCFF, as in Python’s PEP 383.
 */
export function pathOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    const parts: string[] = []
    for (let from = 0; from <= bytes.length; ) {
      const slash = bytes.indexOf(0x2f, from)
      const end = slash < 0 ? bytes.length : slash
      parts.push(nameOf(bytes.subarray(from, end)))
      from = end + 1
    }
    return parts.join('/')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function nameOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return Array.from(bytes, byte => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('')
  }
}

/** Returns the bytes that `pathOf` was given. */
export function bytesOf(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path)
  const pieces = path
    .split(/([\udc80-\udcff]+)/u)
    .map((piece, i) =>
      i % 2 === 0 ? Buffer.from(piece) : Buffer.from(Array.from(piece, char => char.charCodeAt(0) - 0xdc00)),
    )
  return Buffer.concat(pieces)
}

/** Returns a repo path for the file system: in bytes if a string would not find it. */
export function placeOf(dir: string, path: string): string | Buffer {
  if (path.isWellFormed()) return join(dir, path)
  return Buffer.concat([Buffer.from(`${dir}/`), bytesOf(path)])
}

/** Git's order: byte by byte. */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(bytesOf(a), bytesOf(b))
}

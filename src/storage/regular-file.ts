import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** A pipe is opened without waiting for a writer. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * The content of a regular file of at most `limitBytes`, or null for anything else. The customer's folders may
 * contain anything: reading a pipe would block this process, and a device or a huge file would fill its memory.
 */
export function readRegular(
  file: string | Buffer,
  limitBytes: number,
  { follow = true } = {},
): Buffer | null {
  let fd: number | null = null
  try {
    fd = openSync(file, follow ? flags : flags | constants.O_NOFOLLOW)
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > limitBytes) return null
    const buffer = Buffer.alloc(stat.size)
    let length = 0
    while (length < buffer.length) {
      const read = readSync(fd, buffer, length, buffer.length - length, null)
      if (read === 0) break
      length += read
    }
    return buffer.subarray(0, length)
  } catch {
    return null
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

/** Asynchronous variant of `readRegular`; rejects with the reason, or with the system's error. */
export async function readRegularLater(
  file: string | Buffer,
  limitBytes: number,
  { follow = true } = {},
): Promise<Buffer> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, follow ? flags : flags | constants.O_NOFOLLOW)
    const stat = await handle.stat()
    if (stat.isDirectory()) throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' })
    if (!stat.isFile()) throw new Error(`${file} is neither a file nor a folder`)
    if (stat.size > limitBytes) throw new Error(`${file} is larger than ${limitBytes} bytes`)
    return await handle.readFile()
  } finally {
    await handle?.close()
  }
}

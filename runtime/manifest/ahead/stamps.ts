import { statSync } from 'node:fs'

/**
 * What changed so shortly before it was read is read again: on some systems, a second change within the same tick of the
 * clock leaves no trace.
 */
const unsureMs = 100

/** Changes when the file or folder does; null when it is missing, or changed just before `now` or later. */
export function stampAt(file: string, now: number): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (!found || now - Number(found.ctimeMs) < unsureMs) return null
  return [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(' ')
}

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '../../../src/log.ts'

/**
 * Makes sure that the store has a password: 32 random bytes in a 0600 file, complete or not at all. `inUse`: copies are kept
 * already, which another password would not open; then a missing file stays missing. Returns why there is none, or null.
 */
export function ensurePassword(file: string, inUse: boolean, log: Logger): string | null {
  if (existsSync(file)) return null
  if (inUse)
    return `the password of the backup store is missing at ${file}; put back the one that was there, without it no backup opens`
  const draft = `${file}.new`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    rmSync(draft, { force: true })
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true })
    linkSync(draft, file)
  } catch (error) {
    return `the password of the backup store could not be written to ${file}: ${(error as Error).message}`
  } finally {
    rmSync(draft, { force: true })
  }
  log.warn({ file }, 'made a password for the backup store; keep a copy of this file in another place')
  return null
}

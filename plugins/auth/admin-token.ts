import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { BootError } from '../../src/boot-error.ts'
import { tokenForm, tokenRule } from '../../src/http/bearer.ts'
import { hashSecret } from '../../src/http/session-cookie.ts'

export const adminTokenSetting = z.string().regex(tokenForm, tokenRule)

export interface AdminToken {
  /** Compares in constant time, whatever the length of the guess. */
  matches(guess: string): boolean
  /** Identifies the token without revealing it. */
  hash: string
  /** The file that stores it, when it was generated here; null when the operator set it. */
  file: string | null
}

/** Loads the operator's token: the one given, or else the one that the first start generated and stored in `file` (mode 0600). */
export function loadAdminToken(given: string | undefined, file: string): AdminToken {
  const token = given ?? readToken(file) ?? makeToken(file)
  const hash = hashSecret(token)
  const expected = Buffer.from(hash)
  return {
    hash,
    file: given ? null : file,
    matches: guess => timingSafeEqual(Buffer.from(hashSecret(guess)), expected),
  }
}

function readToken(file: string): string | null {
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new BootError([`ADMIN_TOKEN: cannot read ${file}: ${(error as Error).message}`])
  }
  if (!tokenForm.test(token)) {
    throw new BootError([`ADMIN_TOKEN: what ${file} holds ${tokenRule}; remove the file to have one made`])
  }
  return token
}

function makeToken(file: string): string {
  const token = randomBytes(32).toString('base64url')
  try {
    // Written atomically: a start that is killed here must not leave half a token behind.
    writeFileSync(`${file}.new`, `${token}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new BootError([`ADMIN_TOKEN: cannot write ${file}: ${(error as Error).message}`])
  }
  return token
}

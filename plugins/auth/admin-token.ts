import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { BootError } from '../../src/boot-error.ts'
import { hashSecret } from '../../src/http/session-cookie.ts'

export interface AdminToken {
  /** Compares in constant time, whatever the length of the guess. */
  matches(guess: string): boolean
  /** Recognises the token without telling it. */
  hash: string
  /** The file that keeps it, when it was made here; null when the operator gave it. */
  file: string | null
}

/** What an Authorization header can carry as it is. */
export const tokenForm = /^[\x21-\x7e]{16,}$/
export const tokenRule = 'must have at least 16 characters: ASCII letters, digits and signs, no spaces'

/** The operator's token: the one given, or else the one that the first start made and keeps in a 0600 `file`. */
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
    // Whole or not at all: a start that is killed here must not leave half a token to the next one.
    writeFileSync(`${file}.new`, `${token}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new BootError([`ADMIN_TOKEN: cannot write ${file}: ${(error as Error).message}`])
  }
  return token
}

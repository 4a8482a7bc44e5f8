import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { BootError } from '../../src/faults.ts'
import { hashSecret } from '../../src/http/session-cookie.ts'

export interface AdminToken {
  /** Compares in constant time, whatever the length of the guess. */
  matches(guess: string): boolean
  /** Recognises the token without telling it. */
  hash: string
  /** The file that keeps it, when it was made here; null when the operator gave it. */
  file: string | null
}

export const shortestToken = 16

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
  if (token.length < shortestToken) {
    throw new BootError([
      `ADMIN_TOKEN: ${file} holds fewer than ${shortestToken} characters; remove it to have one made`,
    ])
  }
  return token
}

function makeToken(file: string): string {
  const token = randomBytes(32).toString('base64url')
  writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
  return token
}

import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const chosenCost = { memory: 19_456, passes: 2, parallelism: 1 }
/** The cost for 100 random bits, which cannot be guessed at any cost. */
const randomCost = { memory: 1024, passes: 1, parallelism: 1 }
const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]{11,})\$([A-Za-z0-9+/]{22,})$/

/** Hashes a password with argon2id, in PHC format (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). */
export function hashPassword(password: string): Promise<string> {
  return hash(password, chosenCost)
}

/** Hashes a generated password of at least 100 random bits, at a lower cost. */
export function hashRandomPassword(password: string): Promise<string> {
  return hash(password, randomCost)
}

async function hash(password: string, cost: typeof chosenCost): Promise<string> {
  const salt = randomBytes(16)
  const tag = await derive('argon2id', { message: password, nonce: salt, ...cost, tagLength: 32 })
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${encode(salt)}$${encode(tag)}`
}

/** True for a hash that `verifyPassword` accepts, at an acceptable cost (memory ≤ 1 GiB). */
export function isPasswordHash(text: string): boolean {
  const match = phc.exec(text)
  if (!match) return false
  const [, memory, passes, parallelism, salt = '', hash = ''] = match
  const lanes = Number(parallelism)
  return (
    lanes >= 1 &&
    lanes <= 64 &&
    Number(passes) >= 1 &&
    Number(passes) <= 100 &&
    Number(memory) >= 8 * lanes &&
    Number(memory) <= 1_048_576 &&
    // A base64 text never has one character left over.
    salt.length % 4 !== 1 &&
    hash.length % 4 !== 1
  )
}

/** True for text in the form of any kind of hash: no password starts like this by accident. */
export function looksLikeHash(text: string): boolean {
  return /^\$[a-z0-9-]+\$/.test(text)
}

/** Returns false for a wrong password, and for a hash that `isPasswordHash` refuses. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match = phc.exec(hash)
  if (!match || !isPasswordHash(hash)) return false
  const [, memory, passes, parallelism, salt = '', expected = ''] = match
  const wanted = Buffer.from(expected, 'base64')
  const found = await derive('argon2id', {
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: wanted.length,
  })
  return timingSafeEqual(found, wanted)
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

/** A hash that no password has, at the usual cost: comparing with it takes as long as with a person's. */
export const unmatchableHash = `$argon2id$v=19$m=${chosenCost.memory},t=${chosenCost.passes},p=${chosenCost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`

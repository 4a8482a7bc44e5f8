import { randomBytes } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford's base 32: no i, l, o, u

/** The last id of each kind: its time, and the number that follows it. */
const latest = new Map<string, { now: number; tail: bigint }>()

/**
 * An opaque id such as `inst_01k3…`: time first, so that ids sort by age, then 79 random bits. Ids of one kind that this process
 * makes in the same millisecond sort in the order in which they were made: the bits of the next are those of the one before
 * and a random step of 48 bits.
 */
export function newId(prefix: string, now: number = Date.now()): string {
  const before = latest.get(prefix)
  const isNext = before?.now === now
  const tail = isNext ? before.tail + 1n + randomNumber(6) : randomNumber(10) >> 1n
  latest.set(prefix, { now, tail })
  return `${prefix}_${inAlphabet(BigInt(Math.floor(now)), 10)}${inAlphabet(tail, 16)}`
}

const randomNumber = (bytes: number): bigint => BigInt(`0x${randomBytes(bytes).toString('hex')}`)

/** The last `length` digits of a number in base 32. */
function inAlphabet(number: bigint, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest >>= 5n) text = alphabet.charAt(Number(rest & 31n)) + text
  return text
}

/** `length` characters of 5 random bits each, without letters that people mistake for each other. */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), byte => alphabet.charAt(byte & 31)).join('')
}

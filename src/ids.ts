import { randomBytes } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford's base 32: no i, l, o, u

/** An opaque id such as `inst_01k3…`: time first, so that ids sort by age, then 80 random bits. */
export function newId(prefix: string, now: number = Date.now()): string {
  let time = ''
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = alphabet.charAt(rest % 32) + time
  return `${prefix}_${time}${randomText(16)}`
}

/** `length` characters of 5 random bits each, without letters that people mistake for each other. */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), byte => alphabet.charAt(byte & 31)).join('')
}

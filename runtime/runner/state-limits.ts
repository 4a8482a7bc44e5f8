import { isTooDeepJson, maxJsonDepth } from '../../src/json-depth.ts'

export const stateLimits = {
  keyCharacters: 200,
  /** The size of one value, as JSON. */
  valueBytes: 64 * 1024,
  /** The size of all that one job keeps, keys included. */
  jobBytes: 1024 * 1024,
  keys: 1000,
}

/** Says why this cannot be a key, as the rest of a sentence; null when it can. */
export function keyFault(key: unknown): string | null {
  if (typeof key !== 'string' || key === '') return 'must be a text that is not empty'
  if (key.length > stateLimits.keyCharacters) return `must be at most ${stateLimits.keyCharacters} characters`
  return /\p{Cc}/u.test(key) ? 'must hold no control characters' : null
}

export function valueFault(json: string): string | null {
  const bytes = Buffer.byteLength(json)
  if (bytes <= stateLimits.valueBytes)
    return isTooDeepJson(json) ? `is nested more than ${maxJsonDepth} deep` : null
  return `has ${bytes} bytes as JSON, more than ${stateLimits.valueBytes}; keep large values in a file`
}

import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { hashSecret } from '../../src/http/session-cookie.ts'

export const metricsToken = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, 'must have at least 16 characters: ASCII letters, digits and signs, no spaces')

/** Whether an `Authorization` header brings this token. Compared in constant time. */
export function brings(header: string | undefined, token: string): boolean {
  const guess = /^Bearer\s+(\S+)\s*$/i.exec(header ?? '')?.[1]
  if (guess === undefined) return false
  return timingSafeEqual(Buffer.from(hashSecret(guess)), Buffer.from(hashSecret(token)))
}

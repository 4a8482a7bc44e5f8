import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { bearerToken, tokenForm, tokenRule } from '../../src/http/bearer.ts'
import { hashSecret } from '../../src/http/session-cookie.ts'

export const metricsToken = z.string().regex(tokenForm, tokenRule)

/** Whether an `Authorization` header brings this token. Compared in constant time. */
export function brings(header: string | undefined, token: string): boolean {
  const guess = bearerToken(header)
  if (guess === undefined) return false
  return timingSafeEqual(Buffer.from(hashSecret(guess)), Buffer.from(hashSecret(token)))
}

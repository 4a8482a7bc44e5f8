import { createHmac } from 'node:crypto'
import type { Clock } from '../../src/clock.ts'
import { limit } from '../../src/concurrency.ts'
import { defineProblem } from '../../src/http/problem.ts'
import { hashPassword, looksLikeHash, verifyPassword } from '../../src/password.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { passwords, sessions } from './schema.ts'

/** A comparison takes 19 MiB: more at once would use up an instance's memory. */
const comparisonsAtOnce = 2
const longestQueue = 32

const busy = defineProblem('busy', 503, 'Too many sign-ins at once')

export interface PasswordGate {
  /** Throws `busy` when too many comparisons are queued. */
  matches(guess: string): Promise<boolean>
  /**
   * The mark that a browser keeps after signing in with this password, under a given name; a new password invalidates
   * it.
   */
  mark(name: string): string
}

/**
 * Compares guesses with the configured password, which is plain or a PHC hash. If it changed since the last start,
 * every session of the previous one has ended when this resolves.
 */
export async function passwordGate(
  db: Db<typeof schema>,
  clock: Clock,
  configured: string,
): Promise<PasswordGate> {
  const hash = await adopt(db, clock, configured)
  const slot = limit(comparisonsAtOnce, longestQueue, () =>
    busy('Try again in a few seconds.', { headers: { 'Retry-After': '5' } }),
  )
  return {
    matches: guess => slot(() => verifyPassword(guess, hash)),
    mark: name => createHmac('sha256', hash).update(`browser ${name}`).digest('base64url'),
  }
}

async function adopt(db: Db<typeof schema>, clock: Clock, configured: string): Promise<string> {
  const kept = db.select().from(passwords).get()
  const same = kept
    ? looksLikeHash(configured)
      ? kept.hash === configured
      : await verifyPassword(configured, kept.hash)
    : false
  if (kept && same) return kept.hash
  const hash = looksLikeHash(configured) ? configured : await hashPassword(configured)
  db.transaction(tx => {
    tx.delete(sessions).run()
    tx.delete(passwords).run()
    tx.insert(passwords).values({ id: 1, hash, setAt: clock.now() }).run()
  })
  return hash
}

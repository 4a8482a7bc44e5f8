import type { Clock } from '../../src/clock.ts'
import type { AppContext } from '../../src/http/route.ts'
import { hashSecret, newSecret, type SessionCookie } from '../../src/http/session-cookie.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type { AuthService } from '../auth/contract.ts'
import type { OperatorBook } from './book.ts'
import type { OperatorRow } from './operator.ts'

/** A sign-in of which the password was right, and the second factor is not given yet. */
interface Step {
  operatorId: string
  next: string | undefined
  at: number
}

const stepMs = 10 * 60_000
/** Only a right password begins a step. */
const mostSteps = 1000
const knownForSeconds = 365 * 24 * 3600
const purpose = 'a browser that signed in'

/** From a right password to a session. */
export function entry(parts: {
  auth: Pick<AuthService, 'operatorSessions'>
  book: OperatorBook
  clock: Clock
  seal: Seal
  /** Carries the sign-in from the password to the second factor. */
  step: SessionCookie
  /** Recognises a browser that signed in before. */
  known: SessionCookie
}) {
  const { auth, book, clock, seal, step, known } = parts
  const steps = new Map<string, Step>()
  const isOver = ({ at }: Step) => clock.monotonic() >= at + stepMs

  return {
    /** The name of this browser, if this operator signed in with it before; else null. */
    knownBrowser: (c: AppContext, operatorId: string | undefined): string | null => {
      const mark = known.read(c)
      if (mark === undefined || operatorId === undefined) return null
      return seal.open(mark, purpose) === operatorId ? hashSecret(mark) : null
    },

    /** Waits for the second factor. */
    begin: (c: AppContext, operatorId: string, next: string | undefined): void => {
      const secret = newSecret()
      for (const [key, each] of steps) if (isOver(each) || steps.size >= mostSteps) steps.delete(key)
      steps.set(hashSecret(secret), { operatorId, next, at: clock.monotonic() })
      step.write(c, secret, stepMs / 1000)
    },
    /** The sign-in in progress in this browser; null if there is none, or it took too long. */
    at: (c: AppContext): { row: OperatorRow; next: string | undefined } | null => {
      const secret = step.read(c)
      const found = secret === undefined ? undefined : steps.get(hashSecret(secret))
      if (!found || isOver(found)) return null
      const row = book.joined(found.operatorId)
      return row && { row, next: found.next }
    },

    /** Signs the browser in. */
    enter: (c: AppContext, row: OperatorRow): void => {
      const secret = step.read(c)
      if (secret !== undefined) {
        steps.delete(hashSecret(secret))
        step.clear(c)
      }
      auth.operatorSessions.begin(c, row.id)
      book.signedIn(row.id)
      const mark = known.read(c)
      if (mark === undefined || seal.open(mark, purpose) !== row.id)
        known.write(c, seal.seal(row.id, purpose), knownForSeconds)
      c.set('principal', { kind: 'operator', id: row.id, name: row.name })
    },
  }
}
export type Entry = ReturnType<typeof entry>

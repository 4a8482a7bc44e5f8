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
  /** What the password was right for; see `stateOf`. */
  state: string
  next: string | undefined
  at: number
}

const stepMs = 10 * 60_000
/** Only a right password begins a step. */
const mostSteps = 1000
const knownForSeconds = 365 * 24 * 3600
const purpose = 'a browser that signed in'

/**
 * Sign-ins in progress, by the hash of the browser's secret. One is over when the operator's password, app or role is another
 * than at its start, whichever way it changed.
 */
export function signInSteps(clock: Clock) {
  const steps = new Map<string, Step>()
  const isOver = ({ at }: Step) => clock.monotonic() >= at + stepMs
  return {
    add: (secret: string, row: OperatorRow, next: string | undefined): void => {
      for (const [key, each] of steps) if (isOver(each) || steps.size >= mostSteps) steps.delete(key)
      const step = { operatorId: row.id, state: stateOf(row), next, at: clock.monotonic() }
      steps.set(hashSecret(secret), step)
    },
    /** `joined` finds the operator as they are now. */
    find: (secret: string, joined: (id: string) => OperatorRow | null) => {
      const found = steps.get(hashSecret(secret))
      if (!found || isOver(found)) return null
      const row = joined(found.operatorId)
      return row && stateOf(row) === found.state ? { row, next: found.next } : null
    },
    remove: (secret: string): void => {
      steps.delete(hashSecret(secret))
    },
    /** Ends all of an operator: with their sessions. */
    removeAll: (operatorId: string): void => {
      for (const [key, each] of steps) if (each.operatorId === operatorId) steps.delete(key)
    },
  }
}
type SignInSteps = ReturnType<typeof signInSteps>

/** How an operator signs in, and as what. A password that is set anew has another hash, even if it is the same. */
const stateOf = ({ passwordHash, appSecret, role }: OperatorRow) =>
  hashSecret(JSON.stringify([passwordHash, appSecret, role]))

/** From a right password to a session. */
export function createSignIn(parts: {
  auth: Pick<AuthService, 'operatorSessions'>
  book: OperatorBook
  steps: SignInSteps
  seal: Seal
  /** Carries the sign-in from the password to the second factor. */
  step: SessionCookie
  /** Recognises a browser that signed in before. */
  known: SessionCookie
}) {
  const { auth, book, steps, seal, step, known } = parts

  return {
    /** The name of this browser, if this operator signed in with it before; else null. */
    knownBrowser: (c: AppContext, operatorId: string | undefined): string | null => {
      const mark = known.read(c)
      if (mark === undefined || operatorId === undefined) return null
      return seal.open(mark, purpose) === operatorId ? hashSecret(mark) : null
    },

    /** Waits for the second factor. */
    begin: (c: AppContext, row: OperatorRow, next: string | undefined): void => {
      const secret = newSecret()
      steps.add(secret, row, next)
      step.write(c, secret, stepMs / 1000)
    },
    /** The sign-in in progress in this browser; null if there is none, or it is over. */
    at: (c: AppContext): { row: OperatorRow; next: string | undefined } | null => {
      const secret = step.read(c)
      return secret === undefined ? null : steps.find(secret, book.joined)
    },

    /** Signs the browser in. */
    enter: (c: AppContext, row: OperatorRow): void => {
      const secret = step.read(c)
      if (secret !== undefined) {
        steps.remove(secret)
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
export type Entry = ReturnType<typeof createSignIn>

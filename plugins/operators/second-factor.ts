import { and, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { invalidFields, retryLater } from '../../src/http/problem.ts'
import { type Role, roles } from '../../src/http/route.ts'
import { hashSecret } from '../../src/http/session-cookie.ts'
import { randomText } from '../../src/ids.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type { OperatorBook } from './book.ts'
import type { AppSecret, Operator } from './contract.ts'
import type { OperatorRow, OperatorsDb } from './operator.ts'
import { recoveryCodes } from './schema.ts'
import { appSecret, newAppSecret, stepOf } from './totp.ts'

/** From which role on a second factor is demanded; `never` demands it from no one. */
export const factorRoles = [...roles, 'never'] as const
export type FactorRole = (typeof factorRoles)[number]

const codesMade = 10
/** Wrong codes of an operator, whose password was right each time, and how long they count. */
const wrongCodes = { failures: 5, withinMs: 30 * 60_000 }

/** The second factor beside a password: codes of an app, and recovery codes in their place. */
export function createSecondFactor(parts: {
  db: OperatorsDb
  book: OperatorBook
  clock: Clock
  seal: Seal
  from: FactorRole
  /** The site's domain, for the app. */
  site: string
}) {
  const { db, book, clock, seal, from, site } = parts
  const failures = createRateLimit({ ...wrongCodes, clock })
  const purpose = ({ id }: OperatorRow) => `the app of ${id}`
  const demands = (role: Role) => from !== 'never' && roles.indexOf(role) >= roles.indexOf(from)

  /** Takes a code, once. Throws where the secret cannot be read any more. */
  const takesAppCode = (row: OperatorRow, code: string): boolean => {
    if (row.appSecret === null) return false
    const secret = seal.open(row.appSecret, purpose(row))
    if (secret === null) return false
    const step = stepOf(code, { secret, at: clock.now(), after: row.appStep })
    if (step === null) return false
    book.update(row.id, { appStep: step })
    return true
  }
  const takesRecoveryCode = (row: OperatorRow, code: string): boolean => {
    const theirs = and(eq(recoveryCodes.hash, hashSecret(code)), eq(recoveryCodes.operatorId, row.id))
    if (db.delete(recoveryCodes).where(theirs).run().changes === 0) return false
    book.changeSignIn(row, 'a recovery code was used', () => {})
    return true
  }

  return {
    demands,
    /** Whether an operator could sign in with these ways. */
    letsIn: ({
      role,
      hasPassword,
      hasApp,
      passkeys,
      hasProvider,
    }: Pick<Operator, 'role' | 'hasPassword' | 'hasApp' | 'passkeys' | 'hasProvider'>) =>
      passkeys > 0 || hasProvider || (hasPassword && (hasApp || !demands(role))),

    /**
     * Whether this is a code of the app, or a recovery code, which then is used up. Throws the 429 after too many wrong ones;
     * those of a browser that signed in as them before are counted apart.
     */
    takes: (row: OperatorRow, typed: string, { isKnown }: { isKnown: boolean }): boolean => {
      const key = `${row.id} ${isKnown}`
      const wait = failures.retryAfter(key)
      if (wait > 0) throw retryLater(wait)
      const code = typed.replaceAll(/[\s-]/g, '').toLowerCase()
      const right = db.transaction(() =>
        /^\d{6}$/.test(code) ? takesAppCode(book.known(row.id), code) : takesRecoveryCode(row, code),
      )
      if (right) failures.clear(key)
      else failures.fail(key)
      return right
    },

    /** Makes a secret for an app; it counts from its first code on. */
    draft: (row: OperatorRow): void => {
      book.update(row.id, { appDraft: seal.seal(newAppSecret(), purpose(row)) })
    },
    /** What was drafted; null if nothing was. */
    drafted: (row: OperatorRow): AppSecret | null => {
      const secret = row.appDraft === null ? null : seal.open(row.appDraft, purpose(row))
      return secret === null ? null : appSecret(secret, { site, email: row.email })
    },
    /** Confirms the drafted app by a code of it, and returns new recovery codes. Throws a Problem for a wrong code. */
    confirm(row: OperatorRow, typed: string): string[] {
      const secret = row.appDraft === null ? null : seal.open(row.appDraft, purpose(row))
      const code = typed.replaceAll(/\s/g, '')
      const step = secret === null ? null : stepOf(code, { secret, at: clock.now(), after: null })
      if (step === null)
        throw invalidFields([
          {
            path: 'code',
            message:
              'must be the six digits that the app shows now; if they are, check the clock of the phone',
          },
        ])
      return book.changeSignIn(row, 'app added', () => {
        book.update(row.id, { appSecret: row.appDraft, appDraft: null, appStep: step })
        return this.newRecoveryCodes(row)
      })
    },
    removeApp: (row: OperatorRow) =>
      book.changeSignIn(row, 'app removed', () =>
        book.update(row.id, { appSecret: null, appDraft: null, appStep: null }),
      ),

    /** Makes new recovery codes, which replace all earlier ones, and returns them for the only time. */
    newRecoveryCodes: (row: OperatorRow): string[] =>
      db.transaction(() => {
        db.delete(recoveryCodes).where(eq(recoveryCodes.operatorId, row.id)).run()
        return Array.from({ length: codesMade }, () => {
          const code = recoveryCode()
          db.insert(recoveryCodes)
            .values({ hash: hashSecret(code), operatorId: row.id })
            .run()
          return code.replaceAll(/(.{4})(?=.)/g, '$1-')
        })
      }),
  }
}
export type SecondFactor = ReturnType<typeof createSecondFactor>

/** 80 random bits, with a letter: six digits would be a code of an app. */
function recoveryCode(): string {
  const code = randomText(16)
  return /[a-z]/.test(code) ? code : recoveryCode()
}

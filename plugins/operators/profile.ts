import { and, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import type { AuthService, Identity } from '../auth/contract.ts'
import type { OperatorRecords, OperatorRow, OperatorsDb } from './operator.ts'
import { providerTaken } from './problems.ts'
import { operators } from './schema.ts'

/** How long a new address has to prove itself. */
const provableForMs = 3 * 24 * 3_600_000

/** What operators change of themselves: name, email address, account at the provider. Each change is recorded in its transaction. */
export function profiles(
  db: OperatorsDb,
  clock: Clock,
  { accessChanged: changed }: Pick<AuthService, 'accessChanged'>,
  { find, known, update }: OperatorRecords,
) {
  const refuseTaken = (email: string) => {
    if (find(eq(operators.email, email)))
      throw invalidFields([{ path: 'email', message: `${email} is the address of an operator already` }])
  }
  return {
    /** Gives an operator another name. */
    rename: (row: OperatorRow, name: string) =>
      db.transaction(() => {
        if (row.name === name) return
        update(row.id, { name })
        changed({ change: 'change-operator', target: row.email, detail: `name “${row.name}” → “${name}”` })
      }),

    /** Keeps an address until it has proven itself, and returns the secret that proves it. Throws `invalid` for one that is taken. */
    askEmail: (row: OperatorRow, wanted: string): { secret: string; until: number } =>
      db.transaction(() => {
        const newEmail = wanted.toLowerCase()
        refuseTaken(newEmail)
        const secret = newSecret()
        const until = clock.now() + provableForMs
        update(row.id, { newEmail, newEmailHash: hashSecret(secret), newEmailUntil: until })
        return { secret, until }
      }),

    /** The address that this secret proves; null when it was used, replaced, or has expired. */
    provenEmail: ({ newEmail, newEmailHash, newEmailUntil }: OperatorRow, secret: string): string | null =>
      newEmailHash === hashSecret(secret) && clock.now() < (newEmailUntil ?? 0) ? newEmail : null,

    /** Gives an operator the address that has proven itself. Throws `invalid` if it is taken meanwhile. */
    changeEmail: (row: OperatorRow, email: string) =>
      db.transaction(() => {
        refuseTaken(email)
        update(row.id, { email, newEmail: null, newEmailHash: null, newEmailUntil: null })
        changed({ change: 'change-operator', target: row.email, detail: `email address → ${email}` })
      }),

    /** Has an operator sign in with the provider as this person. Throws `provider-taken` when another operator does. */
    linkProvider: (id: string, { issuer, subject, email }: Identity) =>
      db.transaction(() => {
        const row = known(id)
        const same = find(and(eq(operators.issuer, issuer), eq(operators.subject, subject)))
        if (same && same.id !== id)
          throw providerTaken('This account at the provider signs in another operator. Nothing was changed.')
        update(id, { issuer, subject })
        changed({ change: 'change-sign-in', target: row.email, detail: `linked to ${email} at the provider` })
      }),
  }
}

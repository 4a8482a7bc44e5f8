import { and, count, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { invalidFields } from '../../src/http/problem.ts'
import type { Role } from '../../src/http/route.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import { newId } from '../../src/ids.ts'
import type { AuthService, Identity } from '../auth/contract.ts'
import type { Operator } from './contract.ts'
import { type OperatorRecords, type OperatorRow, type OperatorsDb, operatorRecords } from './operator.ts'
import { noInvitation } from './problems.ts'
import { profiles } from './profile.ts'
import { operators, passkeys, recoveryCodes } from './schema.ts'

/** How long an invitation can be accepted. */
const invitedForMs = 3 * 24 * 3_600_000
const mostOperators = 200

/** Everything with which an operator signs in. */
const nothing = {
  ...{ passwordHash: null, appSecret: null, appDraft: null, appStep: null },
  ...{ issuer: null, subject: null },
  ...{ newEmail: null, newEmailHash: null, newEmailUntil: null },
}

/** The operators, and how one becomes and stays one of them. Each change is recorded in its transaction. */
export function openOperators(db: OperatorsDb, clock: Clock, auth: Auth) {
  const records = operatorRecords(db, clock, auth.accessChanged)
  return { ...records, ...membership(db, clock, auth, records), ...profiles(db, clock, auth, records) }
}
export type OperatorBook = ReturnType<typeof openOperators>

type Auth = Pick<AuthService, 'accessChanged' | 'operatorSessions'>

function membership(db: OperatorsDb, clock: Clock, auth: Auth, { find, known, update }: OperatorRecords) {
  const changed = auth.accessChanged
  const invitation = () => {
    const secret = newSecret()
    const columns = { invitationHash: hashSecret(secret), invitedUntil: clock.now() + invitedForMs }
    return { secret, columns }
  }
  const forget = (id: string) => {
    auth.operatorSessions.endAll(id)
    db.delete(passkeys).where(eq(passkeys.operatorId, id)).run()
    db.delete(recoveryCodes).where(eq(recoveryCodes.operatorId, id)).run()
  }
  const join = (row: OperatorRow, values: Partial<OperatorRow>, how: string) => {
    const now = clock.now()
    update(row.id, { ...values, joinedAt: row.joinedAt ?? now, invitationHash: null, invitedUntil: null })
    changed({ change: 'join-operator', target: row.email, detail: how })
  }
  const isInvited = ({ invitationHash, invitedUntil }: OperatorRow) =>
    invitationHash !== null && invitedUntil !== null && clock.now() < invitedUntil

  return {
    /** Invites a person, and returns the secret of the invitation for the only time. Throws a Problem if they are there already. */
    invite: (wish: Pick<Operator, 'name' | 'email' | 'role' | 'createdBy'>) =>
      db.transaction(() => {
        const email = wish.email.toLowerCase()
        if (find(eq(operators.email, email)))
          throw invalidFields([
            {
              path: 'email',
              message: `${email} is an operator already; reset their sign-in to invite them again`,
            },
          ])
        if ((db.select({ total: count() }).from(operators).get()?.total ?? 0) >= mostOperators)
          throw invalidFields([
            { path: 'email', message: `there are ${mostOperators} operators already; remove one first` },
          ])
        const { secret, columns } = invitation()
        const now = clock.now()
        const row = db
          .insert(operators)
          .values({ ...wish, email, ...columns, id: newId('opr', now), createdAt: now })
          .returning()
          .get()
        changed({ change: 'invite-operator', target: email, detail: `role ${wish.role}` })
        return { row, secret }
      }),

    /** Takes every way of signing in from an operator, ends their sessions, and invites them again. */
    reset: (id: string) =>
      db.transaction(() => {
        const { secret, columns } = invitation()
        const { email } = known(id)
        forget(id)
        update(id, { ...nothing, ...columns })
        changed({ change: 'reset-operator', target: email })
        return { row: known(id), secret }
      }),

    /** Revokes an invitation. One who never joined is removed. Throws `no-invitation`. */
    revokeInvitation: (id: string) =>
      db.transaction(() => {
        const row = known(id)
        if (row.invitationHash === null)
          throw noInvitation(`${row.name} has no invitation that could be revoked.`)
        if (row.joinedAt === null) db.delete(operators).where(eq(operators.id, id)).run()
        else update(id, { invitationHash: null, invitedUntil: null })
        changed({ change: 'change-operator', target: row.email, detail: 'invitation revoked' })
      }),

    /** Gives an operator another role, and ends their sessions. */
    changeRole: (id: string, role: Role): OperatorRow =>
      db.transaction(() => {
        const row = known(id)
        if (row.role === role) return row
        update(id, { role })
        auth.operatorSessions.endAll(id)
        changed({ change: 'change-operator', target: row.email, detail: `role ${row.role} → ${role}` })
        return known(id)
      }),

    remove: (id: string) =>
      db.transaction(() => {
        const row = known(id)
        forget(id)
        db.delete(operators).where(eq(operators.id, id)).run()
        changed({ change: 'remove-operator', target: row.email, detail: `role ${row.role}` })
      }),

    /** The operator whose invitation has this secret; null when it was accepted, revoked or has expired. */
    invited: (secret: string): OperatorRow | null => {
      const row = find(eq(operators.invitationHash, hashSecret(secret)))
      return row && isInvited(row) ? row : null
    },

    /** Accepts an invitation with a password. */
    joinByPassword: (row: OperatorRow, passwordHash: string) =>
      db.transaction(() => join(row, { passwordHash }, 'with a password')),

    /** Accepts an invitation in another way, which `add` records. */
    joinBy: (row: OperatorRow, how: string, add: () => void) =>
      db.transaction(() => {
        add()
        join(row, {}, how)
      }),

    /**
     * The operator whom the provider identified: the one who signed in as this subject before, or one who is invited by this
     * email address, who accepts by it. Null for anyone else: an email address may pass to another person.
     */
    byIdentity: ({ issuer, subject, email }: Identity): OperatorRow | null =>
      db.transaction(() => {
        const same = find(and(eq(operators.issuer, issuer), eq(operators.subject, subject)))
        if (same) return same
        const row = find(eq(operators.email, email.toLowerCase()))
        if (!row || !isInvited(row)) return null
        join(row, { issuer, subject }, 'with the provider')
        return known(row.id)
      }),
  }
}

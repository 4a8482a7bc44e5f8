import { and, asc, count, eq, isNotNull, type SQL } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type { AuthService } from '../auth/contract.ts'
import type { Operator } from './contract.ts'
import { unknownOperator } from './problems.ts'
import * as schema from './schema.ts'

const { operators, passkeys, recoveryCodes } = schema
export type OperatorsDb = Db<typeof schema>
export type OperatorRow = typeof operators.$inferSelect

/** The operators' records. */
export function operatorRecords(db: OperatorsDb, clock: Clock, changed: AuthService['accessChanged']) {
  const find = (where: SQL | undefined): OperatorRow | null =>
    db.select().from(operators).where(where).get() ?? null
  const known = (id: string): OperatorRow => {
    const row = find(eq(operators.id, id))
    if (!row) throw unknownOperator(`There is no operator "${id}". They may have been removed.`)
    return row
  }
  const update = (id: string, values: Partial<OperatorRow>) =>
    db.update(operators).set(values).where(eq(operators.id, id)).run()
  return {
    find,
    known,
    byEmail: (email: string) => find(eq(operators.email, email.trim().toLowerCase())),
    /** One who has joined; null for anyone else. */
    joined: (id: string) => find(and(eq(operators.id, id), isNotNull(operators.joinedAt))),
    any: (): boolean => (db.select({ total: count() }).from(operators).get()?.total ?? 0) > 0,

    view: (row: OperatorRow): Operator =>
      viewOf(row, {
        passkeys: numberOf(db, passkeys, eq(passkeys.operatorId, row.id)).get(row.id),
        recoveryCodes: numberOf(db, recoveryCodes, eq(recoveryCodes.operatorId, row.id)).get(row.id),
      }),
    /** All of them, in the order in which they were invited; in three statements. */
    views: (): Operator[] => {
      const keys = numberOf(db, passkeys)
      const codes = numberOf(db, recoveryCodes)
      return db
        .select()
        .from(operators)
        .orderBy(asc(operators.createdAt), asc(operators.id))
        .all()
        .map(row => viewOf(row, { passkeys: keys.get(row.id), recoveryCodes: codes.get(row.id) }))
    },
    /** In the order in which they were invited. */
    list: (): OperatorRow[] =>
      db.select().from(operators).orderBy(asc(operators.createdAt), asc(operators.id)).all(),

    /** Records a change of how an operator signs in, made by `change` in the same transaction. */
    changeSignIn: <T>(row: OperatorRow, detail: string, change: () => T): T =>
      db.transaction(() => {
        const result = change()
        changed({ change: 'change-sign-in', target: row.email, detail })
        return result
      }),
    update,
    signedIn: (id: string) => update(id, { lastSignInAt: clock.now() }),
  }
}
export type OperatorRecords = ReturnType<typeof operatorRecords>

/** How many rows each operator has in a table. */
function numberOf(
  db: OperatorsDb,
  table: typeof passkeys | typeof recoveryCodes,
  where?: SQL,
): ReadonlyMap<string, number> {
  const rows = db
    .select({ operatorId: table.operatorId, total: count() })
    .from(table)
    .where(where)
    .groupBy(table.operatorId)
    .all()
  return new Map(rows.map(({ operatorId, total }) => [operatorId, total]))
}

function viewOf(
  row: OperatorRow,
  own: { passkeys: number | undefined; recoveryCodes: number | undefined },
): Operator {
  const { id, name, email, role, createdAt, createdBy, joinedAt, lastSignInAt } = row
  return {
    ...{ id, name, email, role, createdAt, createdBy, joinedAt, lastSignInAt },
    invitedUntil: row.invitationHash === null ? null : row.invitedUntil,
    hasPassword: row.passwordHash !== null,
    hasApp: row.appSecret !== null,
    passkeys: own.passkeys ?? 0,
    hasProvider: row.subject !== null,
    recoveryCodes: own.recoveryCodes ?? 0,
    newEmail: row.newEmail === null ? null : { email: row.newEmail, until: row.newEmailUntil ?? 0 },
  }
}

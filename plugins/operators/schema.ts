import { blob, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { roles } from '../../src/http/route.ts'

/** See `Operator`. */
export const operators = sqliteTable(
  'operators_operators',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** In lower case. */
    email: text().notNull().unique(),
    role: text({ enum: roles }).notNull(),
    createdAt: integer('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    joinedAt: integer('joined_at'),
    lastSignInAt: integer('last_sign_in_at'),
    /** A hash of the invitation's secret; null once it was accepted or revoked. */
    invitationHash: text('invitation_hash').unique(),
    invitedUntil: integer('invited_until'),
    /** In PHC format. */
    passwordHash: text('password_hash'),
    /** The secret of the app, sealed; and one that was shown, and is not confirmed by a code yet. */
    appSecret: text('app_secret'),
    appDraft: text('app_draft'),
    /** The last time step of which a code was taken: none is taken twice (RFC 6238, 5.2). */
    appStep: integer('app_step'),
    /** Whom the provider calls them, since they signed in with it. */
    issuer: text(),
    subject: text(),
    /** An address that has not proven itself yet, the hash of the secret that was sent to it, and until when that counts. */
    newEmail: text('new_email'),
    newEmailHash: text('new_email_hash'),
    newEmailUntil: integer('new_email_until'),
  },
  table => [uniqueIndex('operators_operators_subject').on(table.issuer, table.subject)],
)

export const passkeys = sqliteTable('operators_passkeys', {
  /** The credential's id, in base64url. */
  id: text().primaryKey(),
  operatorId: text('operator_id')
    .notNull()
    .references(() => operators.id, { onDelete: 'cascade' }),
  name: text().notNull(),
  publicKey: blob('public_key', { mode: 'buffer' }).notNull(),
  /** The authenticator's count of signatures; 0 for one that does not count. */
  counter: integer().notNull(),
  transports: text({ mode: 'json' }).$type<string[]>().notNull(),
  createdAt: integer('created_at').notNull(),
  lastUsedAt: integer('last_used_at'),
})

/** Each stands in for a code of the app, once. Only hashes are stored. */
export const recoveryCodes = sqliteTable('operators_recovery_codes', {
  hash: text().primaryKey(),
  operatorId: text('operator_id')
    .notNull()
    .references(() => operators.id, { onDelete: 'cascade' }),
})

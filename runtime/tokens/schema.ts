import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Scope } from '../auth/contract.ts'

/** The last change of owner whose earlier tokens were revoked: at most one row. */
export const handOvers = sqliteTable('tokens_hand_overs', {
  handedOverAt: integer('handed_over_at').primaryKey(),
})

/** Times are milliseconds since the epoch. */
export const tokens = sqliteTable('tokens_tokens', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  scope: text().$type<Scope>().notNull(),
  /** Hash of the token; see `hashSecret`. */
  hash: text().notNull().unique(),
  /** The first characters, to recognise a token by. */
  hint: text().notNull(),
  createdAt: integer('created_at').notNull(),
  /** Updated once a minute at most. */
  lastUsedAt: integer('last_used_at'),
  lastUsedFrom: text('last_used_from'),
})

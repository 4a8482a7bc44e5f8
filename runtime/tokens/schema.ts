import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Scope } from '../auth/contract.ts'

/** The last time that the instance was given to another owner, once the tokens of before were ended: at most one row. */
export const handOvers = sqliteTable('tokens_hand_overs', {
  handedOverAt: integer('handed_over_at').primaryKey(),
})

/** Times are milliseconds since the epoch. */
export const tokens = sqliteTable('tokens_tokens', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  scope: text().$type<Scope>().notNull(),
  /** Of the token that the script holds; see `hashSecret`. */
  hash: text().notNull().unique(),
  /** The first characters, so that people can tell which one they hold. */
  hint: text().notNull(),
  createdAt: integer('created_at').notNull(),
  /** Moved once a minute at most. */
  lastUsedAt: integer('last_used_at'),
  lastUsedFrom: text('last_used_from'),
})

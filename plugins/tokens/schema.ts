import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { roles } from '../../src/http/route.ts'
import type { Token } from './contract.ts'

/** See `Token`. Only a hash of the secret is stored. */
export const tokens = sqliteTable('tokens_tokens', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  role: text({ enum: roles }).notNull(),
  instances: text({ mode: 'json' }).$type<NonNullable<Token['instances']>>(),
  hash: text().notNull().unique(),
  hint: text().notNull(),
  createdAt: integer('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  expiresAt: integer('expires_at'),
  lastUsedAt: integer('last_used_at'),
  lastUsedFrom: text('last_used_from'),
})

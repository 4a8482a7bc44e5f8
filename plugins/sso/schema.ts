import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Keys that sign for instances. Instances know the public halves only. */
export const keys = sqliteTable('bridge_keys', {
  /** The `kid` of tokens. */
  id: text('id').primaryKey(),
  /** As a JWK. */
  publicJwk: text('public_jwk').notNull(),
  /** As a sealed JWK; null once the key no longer signs. */
  sealedPrivateJwk: text('sealed_private_jwk'),
  createdAt: integer('created_at').notNull(),
  /** When a younger key took over. */
  retiredAt: integer('retired_at'),
})

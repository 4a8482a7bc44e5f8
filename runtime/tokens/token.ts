import { count, desc, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import { newId } from '../../src/ids.ts'
import type { Db } from '../../src/storage/database.ts'
import type { Scope } from '../auth/contract.ts'
import { noMoreTokens, unknownToken } from './problems.ts'
import type * as schema from './schema.ts'
import { handOvers, tokens } from './schema.ts'

export type Token = Omit<typeof tokens.$inferSelect, 'hash'>

/** The prefix of every token, by which people and scanners for leaked secrets recognise one. */
const tokenPrefix = 'lht_'

const minute = 60_000
const mostTokens = 100

/** API tokens for scripts. Only hashes are stored. */
export function tokenStore(db: Db<typeof schema>, clock: Clock) {
  const shown = {
    id: tokens.id,
    name: tokens.name,
    scope: tokens.scope,
    hint: tokens.hint,
    createdAt: tokens.createdAt,
    lastUsedAt: tokens.lastUsedAt,
    lastUsedFrom: tokens.lastUsedFrom,
  }

  return {
    /** Newest first. */
    list: (): Token[] => db.select(shown).from(tokens).orderBy(desc(tokens.createdAt), desc(tokens.id)).all(),

    /** Creates a token, and returns its secret for the only time. Throws a Problem if the name is taken. */
    create({ name, scope }: { name: string; scope: Scope }): { token: Token; secret: string } {
      const now = clock.now()
      const secret = tokenPrefix + newSecret()
      return db.transaction(tx => {
        if (tx.select({ id: tokens.id }).from(tokens).where(eq(tokens.name, name)).get()) {
          throw invalidFields([
            { path: 'name', message: `another token is called "${name}"; revoke it or choose another name` },
          ])
        }
        if ((tx.select({ total: count() }).from(tokens).get()?.total ?? 0) >= mostTokens) {
          throw noMoreTokens(`There are ${mostTokens} tokens already. Revoke tokens that are no longer used.`)
        }
        const token = {
          id: newId('tok', now),
          name,
          scope,
          hint: secret.slice(0, tokenPrefix.length + 4),
          createdAt: now,
          lastUsedAt: null,
          lastUsedFrom: null,
        }
        tx.insert(tokens)
          .values({ ...token, hash: hashSecret(secret) })
          .run()
        return { token, secret }
      })
    },

    /** Returns the token with that secret and records its use from that address; null if there is none. */
    use(secret: string, address: string): Token | null {
      const token = db
        .select(shown)
        .from(tokens)
        .where(eq(tokens.hash, hashSecret(secret)))
        .get()
      if (!token) return null
      const now = clock.now()
      if (token.lastUsedAt === null || Math.abs(now - token.lastUsedAt) >= minute) {
        const use = { lastUsedAt: now, lastUsedFrom: address }
        db.update(tokens).set(use).where(eq(tokens.id, token.id)).run()
      }
      return token
    },

    /** At the first start after a change of owner, revokes every token, those created between the two included. */
    endEarlierOwners(handedOverAt: number): void {
      db.transaction(tx => {
        if (tx.select().from(handOvers).get()?.handedOverAt === handedOverAt) return
        tx.delete(tokens).run()
        tx.delete(handOvers).run()
        tx.insert(handOvers).values({ handedOverAt }).run()
      })
    },

    /** Revokes a token. Throws `unknown-token`. */
    revoke(id: string): Token {
      const [gone] = db.delete(tokens).where(eq(tokens.id, id)).returning(shown).all()
      if (!gone) throw unknownToken(`There is no token "${id}". It may be revoked already.`)
      return gone
    },
  }
}

export type TokenStore = ReturnType<typeof tokenStore>

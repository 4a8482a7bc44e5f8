import { count, desc, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import { newId } from '../../src/ids.ts'
import type { Db } from '../../src/storage/database.ts'
import { unlessFull } from '../../src/storage/disk.ts'
import type { AccessChange } from '../auth/contract.ts'
import type { Token } from './contract.ts'
import { noMoreTokens, unknownToken } from './problems.ts'
import type * as schema from './schema.ts'
import { tokens } from './schema.ts'

/** The prefix of every token, by which people and scanners for leaked secrets recognise one. */
const tokenPrefix = 'lho_'

const minute = 60_000
const mostTokens = 200

/** API tokens of the operators. Only hashes are stored. `changed` records each change in its transaction. */
export function tokenStore(db: Db<typeof schema>, clock: Clock, changed: (change: AccessChange) => void) {
  const { hash: _, ...shown } = {
    ...{ id: tokens.id, name: tokens.name, role: tokens.role, instances: tokens.instances },
    ...{ hash: tokens.hash, hint: tokens.hint, createdAt: tokens.createdAt, createdBy: tokens.createdBy },
    ...{ expiresAt: tokens.expiresAt, lastUsedAt: tokens.lastUsedAt, lastUsedFrom: tokens.lastUsedFrom },
  }

  return {
    /** Newest first, with those that have expired. */
    list: (): Token[] => db.select(shown).from(tokens).orderBy(desc(tokens.createdAt), desc(tokens.id)).all(),

    /** Creates a token, and returns its secret for the only time. Throws a Problem if the name is taken. */
    create(wish: Pick<Token, 'name' | 'role' | 'instances' | 'createdBy' | 'expiresAt'>): {
      token: Token
      secret: string
    } {
      const now = clock.now()
      const secret = tokenPrefix + newSecret()
      return db.transaction(tx => {
        const { name, role, instances } = wish
        if (tx.select({ id: tokens.id }).from(tokens).where(eq(tokens.name, name)).get()) {
          throw invalidFields([
            { path: 'name', message: `another token is called "${name}"; revoke it or choose another name` },
          ])
        }
        if ((tx.select({ total: count() }).from(tokens).get()?.total ?? 0) >= mostTokens)
          throw noMoreTokens(`There are ${mostTokens} tokens already. Revoke tokens that are no longer used.`)
        const token: Token = {
          ...wish,
          id: newId('tok', now),
          hint: secret.slice(0, tokenPrefix.length + 4),
          createdAt: now,
          lastUsedAt: null,
          lastUsedFrom: null,
        }
        const { instances: only, ...rest } = token
        tx.insert(tokens)
          .values({ ...rest, instances: only && [...only], hash: hashSecret(secret) })
          .run()
        const places = instances ? ` for ${instances.map(({ subdomain }) => subdomain).join(', ')}` : ''
        changed({ change: 'create-token', target: name, detail: `role ${role}${places}` })
        return { token, secret }
      })
    },

    /** Returns the token with that secret and records its use; null if there is none, or it has expired. */
    use(secret: string, address: string): Token | null {
      if (!secret.startsWith(tokenPrefix)) return null
      const key = eq(tokens.hash, hashSecret(secret))
      const token = db.select(shown).from(tokens).where(key).get()
      const now = clock.now()
      if (!token || (token.expiresAt !== null && token.expiresAt <= now)) return null
      const isNew = token.lastUsedAt === null || Math.abs(now - token.lastUsedAt) >= minute
      if (isNew || token.lastUsedFrom !== address)
        unlessFull(() => db.update(tokens).set({ lastUsedAt: now, lastUsedFrom: address }).where(key).run())
      return token
    },

    /** Revokes a token. Throws `unknown-token`. */
    revoke: (id: string): Token =>
      db.transaction(tx => {
        const [gone] = tx.delete(tokens).where(eq(tokens.id, id)).returning(shown).all()
        if (!gone) throw unknownToken(`There is no token "${id}". It may be revoked already.`)
        changed({ change: 'revoke-token', target: gone.name })
        return gone
      }),
  }
}

export type TokenStore = ReturnType<typeof tokenStore>

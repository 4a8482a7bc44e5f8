import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { asc, eq, lt } from 'drizzle-orm'
import type { JWK } from 'jose'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/database.ts'
import { newId } from '../../src/ids.ts'
import type { Seal } from '../../src/seal.ts'
import type * as schema from './schema.ts'
import { keys } from './schema.ts'

type Row = typeof keys.$inferSelect

/** A key is published so long before it signs and after it has signed: whoever keeps the list has asked again by then. */
export const publishedMs = 24 * 3_600_000

export interface KeyRing {
  /** The key that signs now. */
  signing(): { id: string; key: KeyObject }
  /** What instances need to check what was signed lately, or will be soon: a JWK set. */
  published(): { keys: JWK[] }
  /** Makes the next key when it is due, retires the one before when that has taken over, and forgets the oldest. */
  turn(): void
}

/** Ed25519 keys. Each signs for `lifeMs`; the next is published a day before it takes over. */
export function keyRing(db: Db<typeof schema>, clock: Clock, seal: Seal, lifeMs: number): KeyRing {
  const purpose = (id: string) => `bridge key ${id}`
  const rows = () => db.select().from(keys).orderBy(asc(keys.createdAt), asc(keys.id)).all()

  const make = () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const now = clock.now()
    const id = newId('key', now)
    const sealedPrivateJwk = seal.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), purpose(id))
    const publicJwk = JSON.stringify(publicKey.export({ format: 'jwk' }))
    db.insert(keys).values({ id, publicJwk, sealedPrivateJwk, createdAt: now }).run()
  }
  const opened = (row: Row): KeyObject | null => {
    const text = row.sealedPrivateJwk === null ? null : seal.open(row.sealedPrivateJwk, purpose(row.id))
    return text === null ? null : createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
  }
  /** The youngest that has been published for long enough; at the very beginning, the only one. */
  const signer = (): Row | undefined => {
    const usable = rows().filter(row => row.retiredAt === null && opened(row) !== null)
    return usable.findLast(row => row.createdAt <= clock.now() - publishedMs) ?? usable[0]
  }

  return {
    signing: () => {
      // None is there at the first use, or when the sealing key was lost with the old ones.
      if (!signer()) make()
      const row = signer()
      const key = row && opened(row)
      if (!row || !key) throw new Error('no key that was just made opens')
      return { id: row.id, key }
    },
    published: () => ({
      keys: rows().map(row => ({ ...JSON.parse(row.publicJwk), kid: row.id, alg: 'EdDSA', use: 'sig' })),
    }),
    turn: () => {
      const now = clock.now()
      const youngest = rows().at(-1)
      if (!youngest || now >= youngest.createdAt + lifeMs) make()
      const current = signer()
      for (const row of rows()) {
        const outlived = current !== undefined && row.createdAt < current.createdAt
        if (row.retiredAt !== null || !outlived) continue
        db.update(keys).set({ retiredAt: now, sealedPrivateJwk: null }).where(eq(keys.id, row.id)).run()
      }
      db.delete(keys)
        .where(lt(keys.retiredAt, now - publishedMs))
        .run()
    },
  }
}

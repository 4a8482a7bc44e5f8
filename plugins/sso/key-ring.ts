import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { asc, eq, lt } from 'drizzle-orm'
import type { JWK } from 'jose'
import type { Clock } from '../../src/clock.ts'
import { newId } from '../../src/ids.ts'
import type { Db } from '../../src/storage/database.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type * as schema from './schema.ts'
import { keys } from './schema.ts'

type Row = typeof keys.$inferSelect

/** How long a key is published before its first and after its last signature, so that cached lists have it in time. */
export const publishedMs = 24 * 3_600_000

export interface KeyRing {
  /** The key that signs now. */
  signing(): { id: string; key: KeyObject }
  /** The public keys that verify recent and coming signatures, as a JWK set. */
  published(): { keys: JWK[] }
  /** Makes the next key when it is due, retires the one that it replaced, and deletes the oldest. */
  rotate(): void
}

/** Ed25519 keys. Each signs for `lifeMs`; the next is published a day before it takes over. */
export function keyRing(db: Db<typeof schema>, clock: Clock, seal: Seal, lifeMs: number): KeyRing {
  // The seals of existing keys were made with these words.
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
  /** The newest key that has been published for long enough, or the only key of a new database. */
  const signer = (): Row | undefined => {
    const usable = rows().filter(row => row.retiredAt === null && opened(row) !== null)
    return usable.findLast(row => row.createdAt <= clock.now() - publishedMs) ?? usable[0]
  }

  return {
    signing: () => {
      // There is no key at first use, or after the sealing key was lost.
      if (!signer()) make()
      const row = signer()
      const key = row && opened(row)
      if (!row || !key) throw new Error('no key that was just made opens')
      return { id: row.id, key }
    },
    published: () => ({
      keys: rows().map(row => ({ ...JSON.parse(row.publicJwk), kid: row.id, alg: 'EdDSA', use: 'sig' })),
    }),
    rotate: () => {
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

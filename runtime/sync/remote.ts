import { randomBytes } from 'node:crypto'
import type { Db } from '../../src/storage/database.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type { Connection } from './contract.ts'
import * as schema from './schema.ts'

export type Remote = Omit<typeof schema.remotes.$inferSelect, 'id' | 'token' | 'webhookSecret'>

const id = 1

/** Stores the remote, with its token and secret encrypted. */
export function openRemote(db: Db<typeof schema>, seal: Seal) {
  const { remotes } = schema
  const row = () => db.select().from(remotes).get() ?? null

  return {
    current: (): Remote | null => {
      const found = row()
      if (!found) return null
      const { id: _, token: __, webhookSecret: ___, ...remote } = found
      return remote
    },
    /** Null if the token was sealed with a lost key. */
    token: (): string | null => {
      const found = row()
      return found && seal.open(found.token, 'sync token')
    },
    webhookSecret: (): string | null => {
      const found = row()
      return found && seal.open(found.webhookSecret, 'sync webhook')
    },
    /** Stores a connection, and returns the secret for its webhook. The known state of the same repository is kept. */
    connect: (connection: Connection): string => {
      const before = row()
      const known = before && seal.open(before.webhookSecret, 'sync webhook')
      const secret = known ?? randomBytes(24).toString('base64url')
      const same = before?.url === connection.url && before.branch === connection.branch
      const values = {
        ...connection,
        id,
        token: seal.seal(connection.token, 'sync token'),
        webhookSecret: seal.seal(secret, 'sync webhook'),
        last: same && before.localBranch === connection.localBranch ? before.last : null,
        ahead: null,
        behind: null,
        lastSyncAt: null,
        failures: 0,
        error: null,
        conflict: null,
        held: null,
      }
      db.insert(remotes).values(values).onConflictDoUpdate({ target: remotes.id, set: values }).run()
      return secret
    },
    disconnect: (): void => {
      db.delete(remotes).run()
    },
    /** Does nothing once the remote is disconnected. */
    update: (change: Partial<Remote>): void => {
      db.update(remotes).set(change).run()
    },
  }
}

export type RemoteStore = ReturnType<typeof openRemote>

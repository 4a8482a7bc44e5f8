import { randomBytes } from 'node:crypto'
import type { Db } from '../../src/database.ts'
import type { Seal } from '../../src/seal.ts'
import type { ConflictFile, Side } from './protocol.ts'
import * as schema from './schema.ts'

/** Both sides changed the same; nothing is taken over until a person has picked. */
export interface Conflict {
  /** `rewritten` when the remote's history no longer holds what was synced before. */
  kind: 'edits' | 'rewritten'
  ours: string
  theirs: string
  /** Where on the remote our side was pushed to; null while it could not be. */
  sideBranch: string | null
  files: ConflictFile[]
}

/** A change of the remote that waits until somebody says that it is meant. */
export interface Held {
  ours: string
  theirs: string
  /** Ids of the jobs that it would remove, of so many. */
  removes: string[]
  of: number
  /** What had been picked before, if there was a conflict. */
  pick: Side | null
}

export type Remote = Omit<typeof schema.remotes.$inferSelect, 'id' | 'token' | 'webhookSecret'>

export interface Connection {
  url: string
  username: string
  token: string
  branch: string
  localBranch: string
}

const id = 1

/** The remote as it is kept. Its token and secret are sealed, and leave here only for whoever uses them. */
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
    /** Null when it was sealed with a key that is gone. */
    token: (): string | null => {
      const found = row()
      return found && seal.open(found.token, 'sync token')
    },
    webhookSecret: (): string | null => {
      const found = row()
      return found && seal.open(found.webhookSecret, 'sync webhook')
    },
    /** Returns the secret that the remote is to sign its webhook with. The same repository keeps what is known of it. */
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
    /** Does nothing once it is disconnected. */
    update: (change: Partial<Remote>): void => {
      db.update(remotes).set(change).run()
    },
  }
}

export type RemoteStore = ReturnType<typeof openRemote>

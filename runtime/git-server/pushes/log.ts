import { inArray, lte } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import type { Db } from '../../../src/storage/database.ts'
import type { Pushed } from '../contract.ts'
import type * as schema from '../schema.ts'
import { pushes } from '../schema.ts'

/** The newest pushes are remembered. */
const kept = 5000

/** Remembers with which token each head arrived. */
export function openPushLog(db: Db<typeof schema>, clock: Clock) {
  return {
    write: (commit: string, token: string | null): void => {
      const { lastInsertRowid } = db.insert(pushes).values({ commit, token, at: clock.now() }).run()
      db.delete(pushes)
        .where(lte(pushes.seq, Number(lastInsertRowid) - kept))
        .run()
    },
    /** Of a commit that was pushed several times, the last time. */
    of: (commits: readonly string[]): ReadonlyMap<string, Pushed> => {
      const rows = db
        .select()
        .from(pushes)
        .where(inArray(pushes.commit, [...commits]))
        .orderBy(pushes.seq)
        .all()
      return new Map(rows.map(({ commit, token, at }) => [commit, { token, at }]))
    },
  }
}

export type PushLog = ReturnType<typeof openPushLog>

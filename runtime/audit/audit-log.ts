import { count, desc, lt, lte, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { entries } from './schema.ts'

export type AuditEntry = typeof entries.$inferSelect

const day = 24 * 3_600_000
const keepMs = 365 * day
const keepEntries = 20_000
/** Old entries are pruned after this many new ones. */
const pruneEvery = 200

/** The audit log, newest entry first. Entries are deleted after a year, or when there are too many. */
export function openAuditLog(
  db: Db<typeof schema>,
  clock: Clock,
  keep = { ms: keepMs, entries: keepEntries },
) {
  let untilPrune = 0

  const prune = (newest: number) => {
    db.delete(entries)
      .where(or(lt(entries.at, clock.now() - keep.ms), lte(entries.seq, newest - keep.entries)))
      .run()
  }

  return {
    write: (entry: Omit<AuditEntry, 'seq' | 'at'>): void => {
      const { lastInsertRowid } = db
        .insert(entries)
        .values({ ...entry, at: clock.now() })
        .run()
      if (untilPrune-- > 0) return
      untilPrune = pruneEvery
      prune(Number(lastInsertRowid))
    },

    list: ({
      limit,
      offset,
    }: {
      limit: number
      offset: number
    }): { entries: AuditEntry[]; total: number } => ({
      entries: db.select().from(entries).orderBy(desc(entries.seq)).limit(limit).offset(offset).all(),
      total: db.select({ total: count() }).from(entries).get()?.total ?? 0,
    }),
  }
}

export type AuditLog = ReturnType<typeof openAuditLog>

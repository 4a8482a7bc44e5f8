import { desc, inArray, lte } from 'drizzle-orm'
import type { JobsDb } from '../jobs-db.ts'
import { liveCommits } from '../schema.ts'

/** The newest changes are remembered. */
const kept = 5000

/** Remembers when each commit went live. */
export function openLiveCommits(db: JobsDb) {
  let last = db.select().from(liveCommits).orderBy(desc(liveCommits.seq)).get()?.commit ?? null
  return {
    /** Does nothing for the commit that is live already. */
    write: (commit: string, at: number): void => {
      if (commit === last) return
      const { lastInsertRowid } = db.insert(liveCommits).values({ commit, at }).run()
      last = commit
      db.delete(liveCommits)
        .where(lte(liveCommits.seq, Number(lastInsertRowid) - kept))
        .run()
    },
    /** Of a commit that went live several times, the last time. Commits that never did are not in it. */
    of: (commits: readonly string[]): ReadonlyMap<string, number> => {
      const rows = db
        .select()
        .from(liveCommits)
        .where(inArray(liveCommits.commit, [...commits]))
        .orderBy(liveCommits.seq)
        .all()
      return new Map(rows.map(({ commit, at }) => [commit, at]))
    },
  }
}

export type LiveCommits = ReturnType<typeof openLiveCommits>

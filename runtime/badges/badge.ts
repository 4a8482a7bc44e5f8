import { eq } from 'drizzle-orm'
import type { Db } from '../../src/storage/database.ts'
import type { Job, Run } from '../jobs/contract.ts'
import type * as schema from './schema.ts'
import { badges } from './schema.ts'

/** The jobs with a public badge. */
export function badgeStore(db: Db<typeof schema>) {
  return {
    isPublic: (jobId: string): boolean =>
      db.select().from(badges).where(eq(badges.jobId, jobId)).get() !== undefined,
    setPublic: (jobId: string, shown: boolean): void => {
      if (shown) db.insert(badges).values({ jobId }).onConflictDoNothing().run()
      else db.delete(badges).where(eq(badges.jobId, jobId)).run()
    },
  }
}

export type BadgeStore = ReturnType<typeof badgeStore>

export interface BadgeState {
  words: string
  colour: string
}

/** Dark enough for white text. */
const colours = { good: '#2a7a3b', bad: '#b3261e', warn: '#8a5a00', idle: '#5f6670' }

/** The state of a job by its last finished run. A badge shows strangers nothing else. */
export function badgeState(job: Job, lastEnded: Run | null): BadgeState {
  if (!job.enabled) return { words: 'disabled', colour: colours.idle }
  if (!lastEnded) return { words: 'not run yet', colour: colours.idle }
  if (lastEnded.status === 'succeeded') return { words: 'passing', colour: colours.good }
  if (lastEnded.status === 'cancelled') return { words: 'cancelled', colour: colours.idle }
  if (lastEnded.status === 'interrupted') return { words: 'interrupted', colour: colours.warn }
  return { words: 'failing', colour: colours.bad }
}

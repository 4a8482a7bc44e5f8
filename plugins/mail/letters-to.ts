import { and, asc, eq, gte } from 'drizzle-orm'
import { timestamp } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { messages } from './schema.ts'

/** What was written to an account, as its owner's export tells it; what the address got before was somebody else's. */
export function lettersTo(
  db: Db<typeof schema>,
  { email, createdAt: since }: { email: string; createdAt: number },
) {
  return db
    .select()
    .from(messages)
    .where(and(eq(messages.to, email), gte(messages.createdAt, since)))
    .orderBy(asc(messages.createdAt))
    .all()
    .map(({ subject, status, createdAt, finishedAt }) => ({
      subject,
      status,
      queued_at: timestamp(createdAt),
      finished_at: timestamp(finishedAt),
    }))
}

import { and, asc, eq, gte } from 'drizzle-orm'
import { timestamp } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { messages } from './schema.ts'

/** The emails sent to an account, for its owner's export. Emails sent before the account was created are left out: the address may have belonged to another person. */
export function accountExport(
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

import { sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Jobs whose badge anybody may see. */
export const badges = sqliteTable('badges_public', {
  jobId: text('job_id').primaryKey(),
})

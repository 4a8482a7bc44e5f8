import { sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** The jobs with a public badge. */
export const badges = sqliteTable('badges_public', {
  jobId: text('job_id').primaryKey(),
})

import { jobRegistry } from 'longhouse/jobs'
import { run as dailyDigest } from './jobs/daily-digest'

jobRegistry.register({
  id: 'daily-digest',
  cron: '0 8 * * *',
  func: dailyDigest,
  description: 'Send my daily summary.',
})

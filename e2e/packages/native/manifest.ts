import { jobRegistry } from 'longhouse/jobs'
import { run as bundle } from './jobs/bundle'
import { run as database } from './jobs/database'
import { run as picture } from './jobs/picture'

jobRegistry.register({ id: 'database', cron: '@daily', func: database })
jobRegistry.register({ id: 'picture', cron: '@daily', func: picture })
jobRegistry.register({ id: 'bundle', cron: '@daily', func: bundle })

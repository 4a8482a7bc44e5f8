import { jobRegistry } from 'longhouse/jobs'
import { run as bree } from './jobs/bree'
import { run as bull } from './jobs/bull'
import { run as dotenv } from './jobs/dotenv'
import { run as pino } from './jobs/pino'
import { run as ssh2 } from './jobs/ssh2'
import { run as winston } from './jobs/winston'

const cron = '@daily'

jobRegistry.register({ id: 'pino', cron, func: pino })
jobRegistry.register({ id: 'winston', cron, func: winston })
jobRegistry.register({ id: 'bull', cron, func: bull })
jobRegistry.register({ id: 'bree', cron, func: bree })
jobRegistry.register({ id: 'dotenv', cron, func: dotenv })
jobRegistry.register({ id: 'ssh2', cron, func: ssh2 })

import { jobRegistry } from 'longhouse/jobs'
import { run as tsyringe } from './jobs/tsyringe'

jobRegistry.register({ id: 'tsyringe', cron: '@daily', func: tsyringe })

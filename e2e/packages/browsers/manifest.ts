import { jobRegistry } from 'longhouse/jobs'
import { run as playwright } from './jobs/playwright'

jobRegistry.register({ id: 'playwright', cron: '@daily', func: playwright })

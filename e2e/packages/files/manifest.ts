import { jobRegistry } from 'longhouse/jobs'
import { run as archiver } from './jobs/archiver'
import { run as csv } from './jobs/csv'
import { run as excel } from './jobs/excel'
import { run as luxon } from './jobs/luxon'
import { run as pdf } from './jobs/pdf'
import { run as sharp } from './jobs/sharp'
import { run as xml } from './jobs/xml'
import { params, run as zod } from './jobs/zod'

const cron = '@daily'

jobRegistry.register({ id: 'sharp', cron, func: sharp })
jobRegistry.register({ id: 'pdf', cron, func: pdf })
jobRegistry.register({ id: 'excel', cron, func: excel })
jobRegistry.register({ id: 'archiver', cron, func: archiver })
jobRegistry.register({ id: 'csv', cron, func: csv })
jobRegistry.register({ id: 'xml', cron, func: xml })
jobRegistry.register({ id: 'luxon', cron, func: luxon })
jobRegistry.register({ id: 'zod', cron, func: zod, params })

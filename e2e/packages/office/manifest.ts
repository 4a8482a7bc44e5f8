import { jobRegistry } from 'longhouse/jobs'
import { appointments } from './jobs/appointments'
import { backlog } from './jobs/backlog'
import { orders } from './jobs/orders'
import { receipts } from './jobs/receipts'
import releases from './jobs/releases'
import { upkeep } from './jobs/upkeep'

jobRegistry.register({
  id: 'appointments',
  cron: '0 7 * * MON-FRI',
  timezone: 'Europe/Vienna',
  description: 'Writes the page of the week.',
  func: appointments,
})

jobRegistry.register({
  id: 'orders',
  cron: '*/10 * * * *',
  description: 'Reads the orders that came by email.',
  func: orders,
})

jobRegistry.register({
  id: 'releases',
  cron: '@hourly',
  description: 'Looks for releases of the projects that we use.',
  func: releases,
})

jobRegistry.register({
  id: 'upkeep',
  cron: '30 3 * * SUN',
  description: 'Packs the reports, and commits the list of them.',
  func: upkeep,
})

jobRegistry.register({
  id: 'backlog',
  cron: '*/5 * * * *',
  description: 'Works through the queue that the shop fills.',
  func: backlog,
})

jobRegistry.register({
  id: 'receipts',
  cron: '15 * * * *',
  description: 'Reads the sums of scanned receipts.',
  func: receipts,
})

import { jobRegistry } from 'longhouse/jobs'
import { newsletter } from './jobs/newsletter'
import { priceWatch } from './jobs/price-watch'
import weeklyChart from './jobs/weekly-chart'

jobRegistry.register({
  id: 'weekly-chart',
  cron: '0 8 * * MON',
  timezone: 'Europe/Berlin',
  description: 'Draws the orders of the last week.',
  func: weeklyChart,
})

jobRegistry.register({
  id: 'price-watch',
  cron: '*/15 * * * *',
  description: 'Looks at prices, and remembers those that changed.',
  func: priceWatch,
})

jobRegistry.register({
  id: 'newsletter',
  cron: '0 9 1 * *',
  description: 'Fills the newsletter.',
  func: newsletter,
})

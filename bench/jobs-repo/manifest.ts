import { jobRegistry } from 'longhouse/jobs'
import { run as backup } from './jobs/backup'
import { run as calendar } from './jobs/calendar'
import { run as certificate } from './jobs/certificate'
import { run as cleanExports } from './jobs/clean-exports'
import { run as diskSpace } from './jobs/disk-space'
import { run as exchangeRates } from './jobs/exchange-rates'
import { run as failedPayments } from './jobs/failed-payments'
import { run as feed } from './jobs/feed'
import { run as heartbeat } from './jobs/heartbeat'
import { run as invoices } from './jobs/invoices'
import { run as newsletter, params as newsletterParams } from './jobs/newsletter'
import { run as ordersReport } from './jobs/orders-report'
import { run as ordersWorkbook } from './jobs/orders-workbook'
import { run as payouts } from './jobs/payouts'
import { run as priceWatch } from './jobs/price-watch'
import { run as productTexts } from './jobs/product-texts'
import { run as refund, params as refundParams } from './jobs/refund'
import { run as reviewDigest } from './jobs/review-digest'
import { run as sheetSync } from './jobs/sheet-sync'
import { run as siteCheck } from './jobs/site-check'
import { run as stockImport } from './jobs/stock-import'
import { run as stockWarning } from './jobs/stock-warning'

jobRegistry.register({ id: 'backup', cron: '0 5 * * *', func: backup })
jobRegistry.register({ id: 'calendar', cron: '7 6 * * *', func: calendar })
jobRegistry.register({ id: 'certificate', cron: '14 7 * * *', func: certificate })
jobRegistry.register({ id: 'clean-exports', cron: '21 8 * * *', func: cleanExports })
jobRegistry.register({ id: 'disk-space', cron: '@hourly', func: diskSpace })
jobRegistry.register({ id: 'exchange-rates', cron: '35 6 * * *', func: exchangeRates })
jobRegistry.register({ id: 'failed-payments', cron: '42 7 * * *', func: failedPayments })
jobRegistry.register({ id: 'feed', cron: '49 8 * * *', func: feed })
jobRegistry.register({ id: 'heartbeat', cron: '*/5 * * * *', func: heartbeat })
jobRegistry.register({ id: 'invoices', cron: '3 6 * * *', func: invoices })
jobRegistry.register({ id: 'newsletter', cron: '@yearly', func: newsletter, params: newsletterParams })
jobRegistry.register({ id: 'orders-report', cron: '17 8 * * *', func: ordersReport })
jobRegistry.register({ id: 'orders-workbook', cron: '24 5 * * *', func: ordersWorkbook })
jobRegistry.register({ id: 'payouts', cron: '31 6 * * *', func: payouts })
jobRegistry.register({ id: 'price-watch', cron: '38 7 * * *', func: priceWatch })
jobRegistry.register({ id: 'product-texts', cron: '45 8 * * *', func: productTexts })
jobRegistry.register({ id: 'refund', cron: '@yearly', func: refund, params: refundParams })
jobRegistry.register({ id: 'review-digest', cron: '59 6 * * *', func: reviewDigest })
jobRegistry.register({ id: 'sheet-sync', cron: '6 7 * * *', func: sheetSync })
jobRegistry.register({ id: 'site-check', cron: '*/10 * * * *', func: siteCheck })
jobRegistry.register({ id: 'stock-import', cron: '20 5 * * *', func: stockImport })
jobRegistry.register({ id: 'stock-warning', cron: '27 6 * * *', func: stockWarning })

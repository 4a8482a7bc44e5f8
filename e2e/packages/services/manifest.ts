import { jobRegistry } from 'longhouse/jobs'
import { run as axios } from './jobs/axios'
import { run as cheerio } from './jobs/cheerio'
import { run as googleapis } from './jobs/googleapis'
import { run as got } from './jobs/got'
import { run as jsdom } from './jobs/jsdom'
import { run as nodemailer } from './jobs/nodemailer'
import { run as openai } from './jobs/openai'
import { run as playwrightOwn } from './jobs/playwright-own'
import { run as s3 } from './jobs/s3'
import { run as stripe } from './jobs/stripe'

const cron = '@daily'

jobRegistry.register({ id: 'axios', cron, func: axios })
jobRegistry.register({ id: 'got', cron, func: got })
jobRegistry.register({ id: 'cheerio', cron, func: cheerio })
jobRegistry.register({ id: 'jsdom', cron, func: jsdom })
jobRegistry.register({ id: 'playwright-own', cron, func: playwrightOwn })
jobRegistry.register({ id: 's3', cron, func: s3 })
jobRegistry.register({ id: 'googleapis', cron, func: googleapis })
jobRegistry.register({ id: 'openai', cron, func: openai })
jobRegistry.register({ id: 'stripe', cron, func: stripe })
jobRegistry.register({ id: 'nodemailer', cron, func: nodemailer })

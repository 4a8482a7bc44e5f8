import { z } from 'zod'
import { mailSettings } from '../../src/delivery/mail-settings.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../site/contract.ts'
import './contract.ts'
import { accountExport } from './account-export.ts'
import { createMailQueue } from './queue.ts'
import { mailRoutes } from './routes.tsx'
import * as schema from './schema.ts'

/** Both settings or neither: with only one of them, no email would ever arrive. */
const mailConfig = z
  .object({ SMTP_URL: mailSettings.SMTP_URL.optional(), SMTP_FROM: mailSettings.SMTP_FROM.optional() })
  .superRefine(({ SMTP_URL, SMTP_FROM }, context) => {
    if ((SMTP_URL === undefined) === (SMTP_FROM === undefined)) return
    const [missing, given] = SMTP_URL === undefined ? ['SMTP_URL', 'SMTP_FROM'] : ['SMTP_FROM', 'SMTP_URL']
    context.addIssue({ code: 'custom', path: [missing], message: `must be set too, as ${given} is` })
  })
  .transform(({ SMTP_URL: smtpUrl, SMTP_FROM: smtpFrom }) =>
    smtpUrl !== undefined && smtpFrom !== undefined ? { smtpUrl, smtpFrom } : null,
  )

export const mail = definePlugin({
  name: 'mail',
  needs: ['auth', 'site'],
  config: mailConfig,
  tables: { schema, migrations: 'plugins/mail/migrations' },
  setup: ({ config: server, db, clock, log, services, nudge }) => {
    const queue = createMailQueue({ db, clock, log, server, brand: services.site.brand })
    if (!server) log.info('mail is off: SMTP_URL and SMTP_FROM are not set')
    return {
      service: {
        on: server !== null,
        send: mail => {
          const queued = queue.send(mail)
          if (queued) nudge('send')
          return queued
        },
      },
      routes: mailRoutes({
        admin: services.auth.admin,
        clock,
        queue,
        on: server !== null,
        nudge: () => nudge('send'),
      }),
      tasks: [
        { name: 'send', everyMs: 15_000, run: signal => queue.flush(signal) },
        { name: 'prune', everyMs: 6 * 3_600_000, run: async () => queue.prune() },
      ],
      hooks: { 'account-export': account => accountExport(db, account) },
      metrics: () => queue.metrics(),
      concernKinds: ['mail-undeliverable'],
      concerns: () => queue.concerns(),
      start: () => queue.takeBack(),
    }
  },
})

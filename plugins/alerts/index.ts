import { BootError } from '../../src/boot-error.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../health/contract.ts'
import '../mail/contract.ts'
import '../provisioner/contract.ts'
import { siteUrl } from '../site/contract.ts'
import { AlertBook } from './book.ts'
import { channelsOf } from './channels.ts'
import { beat } from './heartbeat.ts'
import { noticeOf, testNotice } from './notice.ts'
import { createOutbox } from './outbox.ts'
import { certificateConcern, certificateEnd } from './outside-certificate.ts'
import { alertRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { alertsConfig } from './settings.ts'

/** Notifies operators of what needs them, and of its end. */
export const alerts = definePlugin({
  name: 'alerts',
  needs: ['auth', 'health', 'mail', 'provisioner', 'site'],
  config: alertsConfig,
  tables: { schema, migrations: 'plugins/alerts/migrations' },
  setup({ config, db, clock, log, services, concerns, concernKinds, nudge }) {
    const { auth, health, mail, provisioner, site } = services
    const { ALERT_EMAIL: addresses, ALERT_AFTER, ALERT_REPEAT, HEARTBEAT_URL, HEARTBEAT_INTERVAL } = config
    if (addresses.length > 0 && !mail.on)
      throw new BootError(['ALERT_EMAIL: emails need SMTP_URL and SMTP_FROM, which are not set'])
    const book = new AlertBook(db, clock)
    const channels = channelsOf(config)
    const outbox = createOutbox({ db, clock, log, channels, mail, addresses })
    const origin = siteUrl(site, 'control')
    const outside = site.publicUrl?.protocol === 'https:' ? site.publicUrl : null
    let certificateEnds: number | null = null
    const send = (notice: ReturnType<typeof noticeOf>) => {
      if (!notice) return
      outbox.send(notice)
      queueMicrotask(() => nudge('send'))
    }
    if (channels.length + addresses.length === 0)
      log.info(
        'operators are not alerted: none of ALERT_EMAIL, ALERT_WEBHOOK_URL, ALERT_SLACK_URL and ALERT_NTFY_URL is set',
      )
    return {
      routes: alertRoutes({
        admin: auth.admin,
        clock,
        book,
        outbox,
        kinds: concernKinds,
        subdomains: () => provisioner.instances().map(({ subdomain }) => subdomain),
        places: [...addresses, ...channels.map(({ title, host }) => `${title} (${host})`)],
        test: () => send(testNotice(origin, clock.now())),
      }),
      tasks: [
        {
          name: 'watch',
          everyMs: 15_000,
          run: async () => {
            const seen = await concerns()
            book.round(seen, { afterMs: ALERT_AFTER, repeatMs: ALERT_REPEAT }, round =>
              send(noticeOf(round, origin, clock.now())),
            )
          },
        },
        { name: 'send', everyMs: 15_000, run: signal => outbox.flush(signal) },
        {
          name: 'prune',
          everyMs: 6 * 3_600_000,
          run: async () => {
            book.prune()
            outbox.prune()
          },
        },
        ...(HEARTBEAT_URL
          ? [
              {
                name: 'heartbeat',
                everyMs: HEARTBEAT_INTERVAL,
                run: async () => beat(HEARTBEAT_URL, await health.checkAll(), log),
              },
            ]
          : []),
        ...(outside
          ? [
              {
                name: 'look-at-certificate',
                everyMs: 6 * 3_600_000,
                run: async () => {
                  certificateEnds = await certificateEnd(outside).catch(error => {
                    log.info({ err: error }, 'the certificate of the outside address could not be read')
                    return certificateEnds
                  })
                },
              },
            ]
          : []),
      ],
      concernKinds: ['certificate-ending'],
      concerns: (): Concern[] =>
        outside && certificateEnds !== null ? certificateConcern(outside, certificateEnds, clock.now()) : [],
      start: () => outbox.takeBack(),
    }
  },
})

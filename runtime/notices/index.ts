import { z } from 'zod'
import { mailSettings } from '../../src/delivery/mail-settings.ts'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import '../packages/contract.ts'
import '../sync/contract.ts'
import '../volume/contract.ts'
import { type Notices, openNotices } from './notices.ts'
import { noticeRoutes } from './routes.ts'
import * as schema from './schema.ts'
import type { Watched } from './watch/watched.ts'

/** The notices plugin; `onOpen` gets the notices, for tests that control when they are sent. */
export const noticesWith = (onOpen: (notices: Notices) => void) =>
  definePlugin({
    name: 'notices',
    needs: ['auth', 'jobs', 'packages', 'sync', 'volume'],
    config: z.object({
      /** The mail server, unless the settings page sets another; '' for none. */
      SMTP_URL: mailSettings.SMTP_URL.default(''),
      SMTP_FROM: mailSettings.SMTP_FROM.default(''),
    }),
    tables: { schema, migrations: 'runtime/notices/migrations' },
    setup: ({ config, db, log, clock, services: { auth, jobs, packages, sync, volume }, checks, nudge }) => {
      const notices = openNotices({
        db,
        seal: volume.seal,
        clock,
        log,
        place: volume.place,
        product: volume.brand.name,
        mail: { smtpUrl: config.SMTP_URL, smtpFrom: config.SMTP_FROM },
        sendNow: () => nudge('send-notices'),
      })
      onOpen(notices)
      const watched: Watched = {
        ready: jobs.manifest.ready,
        jobs: jobs.list.all,
        job: jobs.list.one,
        runs: jobs.runs.list,
        log: jobs.logs.text,
        ledger: jobs.slots.ledger,
        manifest: jobs.manifest.state,
        packages: packages.state,
        sync,
        get checks() {
          return checks()
        },
      }
      return {
        routes: noticeRoutes({ notices, access: auth, clock }),
        tasks: [
          { name: 'watch-jobs', everyMs: 15_000, run: () => notices.watch(watched) },
          { name: 'send-heartbeat', everyMs: 60_000, run: () => notices.beat(watched) },
          { name: 'write-commit-status', everyMs: 5000, run: () => notices.commitStatuses.round(watched) },
          { name: 'send-notices', everyMs: 10_000, run: notices.outbox.flush },
        ],
      }
    },
  })

/** Watches the jobs and the instance, and notifies the people chosen in the settings. */
export const notices = noticesWith(() => {})

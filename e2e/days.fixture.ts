import type { TestContext } from 'node:test'
import { controlPlane } from '../control-plane/control-plane.ts'
import { envOf, startProvider, type TestProvider } from '../plugins/auth/openid.fixture.ts'
import { silentLog } from '../src/log.ts'
import { ask } from '../src/testing/ask.ts'
import { setClock } from '../src/testing/clock.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { type Inbox, startInbox } from '../src/testing/inbox.ts'
import { type StripeStandIn, startStripe } from '../src/testing/stripe/stand-in.ts'

const day = 86_400_000
const token = 'a-token-that-only-the-operator-has'

/** What has its turn each day, in the order in which one hears of the other. */
const daily = [
  'billing:work-events',
  'billing:reconcile',
  'billing:enforce',
  'billing:prune-events',
  'provisioner:follow-owners',
  'provisioner:prune-operations',
  'auth:prune-sessions',
  'sso:rotate-keys',
  'mail:send',
  'mail:prune',
]

export interface LonghouseInDays {
  port: number
  dataRoot: string
  provider: TestProvider
  stripe: StripeStandIn
  inbox: Inbox
  /** Days go by; every task has its turn each day. */
  live(days: number): Promise<void>
  /** The same, by the most that one look of the retention timer counts: an hour and a half. */
  retain(days: number): Promise<void>
  /** Stripe sends the events that it has not sent yet. */
  tell(): Promise<void>
  /** Decoded emails to an address, oldest first, once every email is sent. */
  emails(to: string): Promise<{ subject: string; words: string }[]>
}

/**
 * The control plane as its program starts it, but for the clock that it is handed, which a test moves: with real
 * instances, a provider to sign in with, a Stripe and a mail server. Instances and browsers live in the machine's time.
 */
export async function startLonghouseInDays(
  t: Pick<TestContext, 'after'>,
  env: Record<string, string> = {},
): Promise<LonghouseInDays> {
  const clock = setClock()
  const [provider, stripe, inbox] = await Promise.all([
    startProvider(t, { clock }),
    startStripe(t, { clock }),
    startInbox(t),
  ])
  const dataRoot = temporaryFolder(t)
  const program = await controlPlane({
    clock,
    log: silentLog,
    env: {
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: '0',
      ADMIN_TOKEN: token,
      PROVISIONER_DRIVER: 'process',
      PROVISIONER_STOP_GRACE: '5s',
      HEALTH_INTERVAL: '500ms',
      SMTP_URL: inbox.url,
      SMTP_FROM: 'hello@example.com',
      ...envOf(provider),
      ...stripe.env,
      ...env,
    },
  })
  t.after(() => program.stop())
  const port = await program.listen()
  provider.allow(`http://control.localhost:${port}/auth/google/callback`)

  /** One day, at which the retention timer looks so often. */
  const pass = async (looks: number) => {
    for (let look = 0; look < looks; look++) {
      clock.advance(day / looks)
      await program.runOnce('provisioner:retention')
    }
    for (const task of daily) await program.runOnce(task)
  }

  return {
    port,
    dataRoot,
    provider,
    stripe,
    inbox,
    live: async days => {
      for (let today = 0; today < days; today++) await pass(1)
    },
    retain: async days => {
      for (let today = 0; today < days; today++) await pass(16)
    },
    tell: async () => {
      await stripe.deliver((body, headers) =>
        ask({ port, host: 'control.localhost', method: 'POST', path: '/webhooks/stripe', body, headers }),
      )
      await program.runOnce('billing:work-events')
    },
    emails: async to => {
      await program.runOnce('billing:enforce')
      await eventually('every email is sent', async () => {
        await program.runOnce('mail:send')
        const headers = { Authorization: `Bearer ${token}` }
        const reply = await ask({ port, host: 'control.localhost', path: '/admin/mail', headers })
        return reply.json<{ messages: { status: string }[] }>().messages.every(each => each.status === 'sent')
      })
      return inbox.mails.filter(mail => mail.to.includes(to)).map(({ text }) => readMail(text))
    },
  }
}

/** Subject and words of a message, its transfer encoding undone. */
function readMail(text: string): { subject: string; words: string } {
  const subject = /^Subject: (.*(?:\r\n .*)*)\r$/m.exec(text)?.[1]?.replace(/\r\n/g, '') ?? ''
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
  return { subject, words: Buffer.from(bytes, 'latin1').toString('utf8') }
}

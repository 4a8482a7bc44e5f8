import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Plugin } from '../../src/kernel/plugin.ts'
import { ask, type Reply } from '../../src/testing/ask.ts'
import { type ManualClock, setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { type Inbox, startInbox } from '../../src/testing/inbox.ts'
import { plans, type StripeStandIn, startStripe } from '../../src/testing/stripe/stand-in.ts'
import { mail } from '../mail/index.ts'
import { type OwnerBrowser, openTown, type Town } from '../owners/owners.fixture.ts'
import type { Driver } from '../provisioner/driver.ts'
import type { WireInstance } from '../provisioner/pages/wire.ts'
import { billing } from './index.ts'

export { plans }

export const day = 86_400_000

export interface Shop extends Town {
  clock: ManualClock
  stripe: StripeStandIn
  inbox: Inbox
  /** Stripe delivers its outstanding events, and they are processed. */
  deliverEvents(): Promise<void>
  post(body: string, headers: Record<string, string>): Promise<Reply>
  /** One task of billing, once. */
  run(task: 'work-events' | 'enforce' | 'reconcile'): Promise<void>
  /** Days go by; every task runs once a day. */
  live(days: number): Promise<void>
  /** What the operator sees of an instance, once no work on it is open. */
  whenIdle(subdomain: string): Promise<WireInstance>
  /** Subjects of the emails so far. */
  emails(): Promise<string[]>
  /** The owner chooses a plan and pays; Stripe delivers the events. */
  buy(owner: OwnerBrowser, plan?: string): Promise<string>
}

/** A control plane that takes payments, with a Stripe, a mail server and a clock of its own. */
export async function openShop(
  t: Pick<TestContext, 'after'>,
  options: {
    env?: Record<string, string>
    root?: string
    clock?: ManualClock
    stripe?: StripeStandIn
    driver?: (real: Driver) => Driver
    /** Beside those of a shop. */
    plugins?: readonly Plugin[]
  } = {},
): Promise<Shop> {
  const clock = options.clock ?? setClock()
  const stripe = options.stripe ?? (await startStripe(t, { clock }))
  const inbox = await startInbox(t)
  const town = await openTown(t, {
    clock,
    ...(options.root ? { root: options.root } : {}),
    ...(options.driver ? { driver: options.driver } : {}),
    env: { ...stripe.env, SMTP_URL: inbox.url, SMTP_FROM: 'hello@example.com', ...options.env },
    plugins: [mail, billing, ...(options.plugins ?? [])],
  })
  const { program, port } = town
  const run: Shop['run'] = task => program.runOnce(`billing:${task}`)
  const post: Shop['post'] = (body, headers) =>
    ask({ port, host: 'control.localhost', method: 'POST', path: '/webhooks/stripe', body, headers })

  const shop: Shop = {
    ...town,
    clock,
    stripe,
    inbox,
    post,
    run,
    deliverEvents: async () => {
      await stripe.deliver(post)
      await run('work-events')
      // The task's own round may be at some of them.
      await eventually('no event is being worked', async () => {
        const { body } = await town.admin<{ events: { status: string }[] }>('GET', '/admin/billing/events')
        return body.events.every(event => event.status !== 'working')
      })
    },
    live: async days => {
      for (let today = 0; today < days; today++) {
        clock.advance(day)
        await run('work-events')
        await run('reconcile').catch(() => {})
        await run('enforce')
      }
    },
    whenIdle: subdomain =>
      eventually(`nothing is under way on ${subdomain}`, async () => {
        const { body } = await town.admin('GET', `/admin/instances/${subdomain}`)
        const open = body.operation?.status === 'pending' || body.operation?.status === 'running'
        return !open && body
      }),
    emails: async () => {
      await program.runOnce('mail:send')
      await eventually('every email is sent', async () => {
        const { body } = await town.admin<{ messages: { status: string }[] }>('GET', '/admin/mail')
        return body.messages.every(message => message.status === 'sent')
      })
      return inbox.mails.map(({ text }) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '')
    },
    buy: async (owner, plan = 'basic') => {
      const { url } = (await owner.call('POST', '/checkout', { plan })).json<{ url: string }>()
      const id = stripe.state.completeCheckout(url.split('/').at(-1) ?? '').id
      await shop.deliverEvents()
      return id
    },
  }
  return shop
}

/** How an instance stands once no work on it is open: its status, whether it is suspended, and who removed it. */
export async function stateOf(shop: Shop, subdomain = 'acme') {
  const { status, suspension, deleted_by } = await shop.whenIdle(subdomain)
  return [status, suspension !== null, deleted_by]
}

/** Time goes on by the most that one look of the retention timer counts: an hour and a half. */
export async function retain(shop: Shop, days: number): Promise<void> {
  for (let looks = 0; looks < days * 16; looks++) {
    shop.clock.advance(day / 16)
    await shop.program.runOnce('provisioner:retention')
  }
}

/** An event that Stripe never had: for forgeries. */
export const madeUpEvent = (type: string, object: Record<string, unknown> = {}) => ({
  object: 'event' as const,
  id: `evt_${randomBytes(8).toString('hex')}`,
  type,
  api_version: '2026-10-28.endive',
  created: Math.floor(Date.now() / 1000),
  livemode: false,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  data: { object },
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../../src/testing/eventually.ts'
import type { Subscription } from '../../../src/testing/stripe/objects.ts'
import type { StripeState } from '../../../src/testing/stripe/state.ts'
import type { OwnerBrowser } from '../../owners/owners.fixture.ts'
import { plans, type Shop } from '../shop.fixture.ts'

/** What a person does on one day, at Stripe or here. `keep` withdraws a cancellation, `quit` cancels at once. */
export const deeds = [
  'buy basic',
  'buy team',
  'change to basic',
  'change to team',
  'card fails',
  'card works',
  'cancel',
  'keep',
  'quit',
  'dispute',
  'dispute won',
  'dispute lost',
  'make',
  'make another',
] as const
export type Deed = (typeof deeds)[number]

/** A person with an account, a card and instances. */
export interface Person {
  name: string
  email: string
  browser: OwnerBrowser
  card: 'good' | 'bad'
  /** How many instances they ever made. */
  made: number
  /** Days since Stripe first failed to charge them; null while it does not fail. */
  failing: number | null
}

const standing: readonly string[] = ['trialing', 'active', 'past_due', 'unpaid', 'paused']
/** How long Stripe tries a card that fails, before it calls the subscription unpaid. */
const retriedDays = 21

/** All that a customer has or had at Stripe, oldest first. */
export const subscriptionsOf = (state: StripeState, { email }: Person): Subscription[] =>
  [...state.subscriptions.values()].filter(each => state.customer(each.customer).email === email)

/** What Stripe does by itself: another month, a card that is tried again, an end that was announced. */
export function charge(state: StripeState, person: Person): void {
  for (const subscription of subscriptionsOf(state, person)) {
    const { id } = subscription
    const periodEnds = () => subscription.items.data[0]?.current_period_end ?? Number.POSITIVE_INFINITY
    while (subscription.ended_at === null && periodEnds() <= state.now()) {
      if (subscription.cancel_at_period_end) state.become(id, 'canceled')
      else if (subscription.status === 'active') {
        state.renew(id, person.card)
        if (person.card === 'bad') person.failing = 0
      } else break
    }
    if (subscription.status === 'past_due') {
      person.failing = (person.failing ?? 0) + 1
      if (person.failing > retriedDays) state.become(id, 'unpaid')
    }
  }
}

/** Performs a person’s action, at Stripe or here. While Stripe is away, nothing can be done there. */
export async function act(
  shop: Shop,
  person: Person,
  deed: Deed,
  { away }: { away: boolean },
): Promise<void> {
  const { state } = shop.stripe
  const { browser } = person
  const current = subscriptionsOf(state, person).findLast(each => standing.includes(each.status))
  const dispute = [...state.disputes.values()].find(
    each => each.status !== 'won' && each.status !== 'lost' && disputedBy(state, person, each.charge),
  )
  await stayIn(person)
  if (deed === 'make' || deed === 'make another') {
    if (deed === 'make another' || !(await hasAny(person))) await make(shop, person)
  } else if (deed === 'buy basic' || deed === 'buy team') {
    const plan = deed.slice('buy '.length)
    const reply = await browser.call('POST', '/checkout', { plan })
    const wanted = away ? 503 : current ? 409 : 200
    if (reply.status !== wanted)
      throw new Error(`${person.name}: ${deed} was answered ${reply.status}, not ${wanted}`)
    if (wanted !== 200) return
    person.card = 'good'
    state.completeCheckout(reply.json<{ url: string }>().url.split('/').at(-1) ?? '')
    await browser.visit('/billing?paid=1')
  } else if (away) return
  else if (deed === 'card fails') person.card = 'bad'
  else if (deed === 'card works') {
    person.card = 'good'
    if (current?.status === 'past_due' || current?.status === 'unpaid') state.pay(current.id)
  } else if (deed === 'dispute won' || deed === 'dispute lost') {
    if (dispute) state.closeDispute(dispute.id, deed === 'dispute won' ? 'won' : 'lost')
  } else if (!current) return
  else if (deed === 'dispute') {
    if (!dispute && state.hasPaid(current.id)) state.dispute(current.id)
  } else if (deed === 'quit') state.become(current.id, 'canceled')
  else if (deed === 'cancel' || deed === 'keep') state.cancelAtPeriodEnd(current.id, deed === 'cancel')
  else change(state, current, deed === 'change to team' ? 'team' : 'basic')
}

const disputedBy = (state: StripeState, person: Person, charge: string) =>
  subscriptionsOf(state, person).some(each => state.charges.get(charge)?.customer === each.customer)

/** As in Stripe's portal: the same subscription with another price. */
function change(state: StripeState, subscription: Subscription, plan: 'basic' | 'team'): void {
  const [item] = subscription.items.data
  if (item) item.price.id = plans.find(({ id }) => id === plan)?.price ?? ''
  state.become(subscription.id, subscription.status)
}

/** Sessions end after two months at the latest. */
async function stayIn({ browser, name }: Person): Promise<void> {
  if ((await browser.call('GET', '/billing')).status === 401) await browser.signIn(name)
}

const hasAny = async ({ browser }: Person) =>
  (await browser.call('GET', '/instances')).json<{ instances: unknown[] }>().instances.length > 0

/** Makes an instance, where it may, with something in it to lose. */
export async function make(shop: Shop, person: Person): Promise<void> {
  const subdomain = `${person.name}-${person.made + 1}`
  const reply = await person.browser.call('POST', '/instances', { subdomain })
  if (reply.status >= 500) throw new Error(reply.text)
  if (reply.status >= 300) return
  person.made++
  await eventually(`${subdomain} runs`, async () => (await shop.whenIdle(subdomain)).status === 'running')
  writeFileSync(join(shop.root, subdomain, 'precious'), 'data')
}

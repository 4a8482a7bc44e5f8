import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import type { Status } from '../../../src/testing/stripe/objects.ts'
import { openShop } from '../shop.fixture.ts'

/** `LIVES=1000` for the whole of it; a run of all tests has less time. */
const lives = Number(process.env.LIVES ?? 200)

/** Numbers that look random and are the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return sides => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

const meaning: Record<Status, string> = {
  active: 'paid',
  trialing: 'paid',
  past_due: 'grace',
  unpaid: 'over',
  paused: 'over',
  canceled: 'over',
  incomplete_expired: 'over',
  incomplete: 'free',
}

test(`${lives} histories of a subscription, with events shuffled, duplicated and lost, end in Stripe’s state`, async t => {
  const root = memoryFolder(t)
  const shop = await openShop(t, { root, env: { BILLING_TRIAL_DAYS: '0' } })
  const { state } = shop.stripe
  const ada = await shop.owner('ada')
  await ada.call('POST', '/checkout', { plan: 'basic' })
  const [customer = ''] = state.customers.keys()
  const bill = async () =>
    (await ada.call('GET', '/billing')).json<{ state: string; subscription: { status: string } | null }>()

  const steps: ((id: string) => void)[] = [
    id => state.renew(id, 'good'),
    id => state.renew(id, 'bad'),
    id => state.pay(id),
    id => state.cancelAtPeriodEnd(id),
    id => state.cancelAtPeriodEnd(id, false),
    id => {
      if (state.hasPaid(id)) state.dispute(id)
    },
    id => state.become(id, 'unpaid'),
    id => state.become(id, 'paused'),
    id => state.become(id, 'canceled'),
  ]
  const started = performance.now()
  let posted = 0
  // Stripe forgets each life before the next begins; the account does not.
  let subscribed = false
  for (let seed = 1; seed <= lives; seed++) {
    const roll = dice(seed)
    state.subscriptions.clear()
    state.events.length = 0
    const { id } = state.subscribe(customer, { status: roll(4) === 0 ? 'incomplete' : 'active' })
    const deliverSome = async () => {
      // Each event of so far may come now, twice, late or never, in any order.
      const tries = roll(4)
      for (let time = 0; time < tries; time++) {
        const event = state.events[roll(state.events.length)]
        if (!event) continue
        const { body, headers } = shop.stripe.signed(event)
        const url = 'http://control.localhost/webhooks/stripe'
        const reply = await shop.program.app.request(url, { method: 'POST', body, headers })
        assert.equal(reply.status, 200)
        posted++
      }
      if (roll(3) === 0) await shop.run('work-events')
    }
    const length = 2 + roll(6)
    for (let step = 0; step < length && state.subscription(id).ended_at === null; step++) {
      steps[roll(steps.length)]?.(id)
      await deliverSome()
    }
    await shop.run('reconcile')
    const { status } = state.subscription(id)
    const told = await bill()
    const means: string = status === 'incomplete' && subscribed ? 'over' : meaning[status]
    assert.equal(told.state, means, `seed ${seed}: Stripe says ${status}`)
    subscribed ||= means !== 'free'
    const goesOn = ['active', 'trialing', 'past_due', 'unpaid', 'paused'].includes(status)
    assert.equal(told.subscription?.status ?? null, goesOn ? status : null, `seed ${seed}`)
  }
  t.diagnostic(`${posted} events in ${Math.round(performance.now() - started)} ms`)
  // What is still queued changes nothing any more.
  const before = await bill()
  await shop.run('work-events')
  assert.deepEqual(await bill(), before)
})

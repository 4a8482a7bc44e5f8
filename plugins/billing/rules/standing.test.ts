import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SubscriptionStatus } from '../contract.ts'
import { assess, type Facts, type Standing } from './standing.ts'

const day = 86_400_000
const terms = { graceMs: 14 * day, removalMs: 30 * day, keptMs: 30 * day }
const start = Date.UTC(2026, 0, 1)

/** A year in the life of an account: a look a day, and what Stripe says from which day on. */
function year(story: { trialDays?: number; says: Record<number, readonly SubscriptionStatus[]> }) {
  const days: Standing[] = []
  let before = null as Facts['before']
  let subscriptions: readonly SubscriptionStatus[] = []
  const seen = new Map<SubscriptionStatus, number>()
  for (let today = 0; today < 365; today++) {
    subscriptions = story.says[today] ?? subscriptions
    const now = start + today * day
    for (const status of [...seen.keys()]) if (!subscriptions.includes(status)) seen.delete(status)
    for (const status of subscriptions) if (!seen.has(status)) seen.set(status, now)
    const facts: Facts = {
      trialEndsAt: story.trialDays === undefined ? null : start + story.trialDays * day,
      subscriptions: subscriptions.map(status => ({ status, statusSince: seen.get(status) ?? now })),
      before,
    }
    const standing = assess(facts, terms, now)
    if (before?.state !== standing.state) before = { state: standing.state, since: standing.since }
    days.push(standing)
  }
  return days
}

/** What its instances were to be, as `run 0–13, stop 14–43 …`. */
function course(days: readonly Standing[]): string {
  const spans: { what: string; from: number; to: number }[] = []
  for (const [today, { instances }] of days.entries()) {
    const last = spans.at(-1)
    if (last?.what === instances) last.to = today
    else spans.push({ what: instances, from: today, to: today })
  }
  return spans.map(({ what, from, to }) => `${what} ${from}–${to}`).join(', ')
}

test('without a plan, a trial ends, and the instance is removed later', () => {
  const days = year({ trialDays: 14, says: {} })
  assert.equal(course(days), 'run 0–13, stop 14–43, remove 44–364')
  assert.deepEqual(
    days[3]?.ladder.map(({ at, what }) => [what, (at - start) / day]),
    [
      ['stop', 14],
      ['remove', 44],
      ['delete', 74],
    ],
  )
  assert.deepEqual([days[20]?.state, days[20]?.reason], ['over', 'trial'])
  assert.deepEqual(
    days[20]?.ladder.map(({ at, what }) => [what, (at - start) / day]),
    [
      ['remove', 44],
      ['delete', 74],
    ],
  )
})

test('paying makes an account run: during the trial, after it, and from the last step of the ladder', () => {
  assert.equal(course(year({ trialDays: 14, says: { 5: ['active'] } })), 'run 0–364')
  assert.equal(course(year({ trialDays: 14, says: { 20: ['active'] } })), 'run 0–13, stop 14–19, run 20–364')
  assert.equal(
    course(year({ trialDays: 14, says: { 50: ['active'] } })),
    'run 0–13, stop 14–43, remove 44–49, run 50–364',
  )
})

test('after a failed payment, an account runs for two weeks; paying in time avoids the stop', () => {
  const paidInTime = year({ says: { 0: ['active'], 100: ['past_due'], 110: ['active'] } })
  assert.equal(course(paidInTime), 'run 0–364')
  assert.equal(paidInTime[105]?.state, 'grace')
  assert.deepEqual(
    paidInTime[105]?.ladder.map(({ at, what }) => [what, (at - start) / day]),
    [
      ['stop', 114],
      ['remove', 144],
      ['delete', 174],
    ],
  )
  const days = year({ says: { 0: ['active'], 100: ['past_due'] } })
  assert.equal(course(days), 'run 0–113, stop 114–143, remove 144–364')
  const gaveUp = year({ says: { 0: ['active'], 100: ['past_due'], 107: ['unpaid'], 120: ['active'] } })
  assert.equal(course(gaveUp), 'run 0–106, stop 107–119, run 120–364')
  // Each failure has its own two weeks.
  const twice = year({
    says: { 0: ['active'], 100: ['past_due'], 110: ['active'], 130: ['past_due'], 140: ['active'] },
  })
  assert.equal(course(twice), 'run 0–364')
})

test('Stripe’s final statuses stop an account: cancelled, paused, expired', () => {
  assert.equal(
    course(year({ says: { 0: ['active'], 60: ['canceled'] } })),
    'run 0–59, stop 60–89, remove 90–364',
  )
  assert.equal(
    course(year({ says: { 0: ['trialing'], 30: ['paused'] } })),
    'run 0–29, stop 30–59, remove 60–364',
  )
  assert.equal(year({ says: { 0: ['active'], 60: ['canceled'] } })[70]?.reason, 'canceled')
  const expired = year({ trialDays: 14, says: { 10: ['incomplete'], 11: ['incomplete_expired'] } })
  assert.equal(course(expired), 'run 0–13, stop 14–43, remove 44–364')
  assert.equal(course(year({ says: { 0: ['incomplete_expired'] } })), 'stop 0–29, remove 30–364')
})

test('a new subscription counts, whatever ended before; a second one beside it never stops the account', () => {
  const again = year({
    trialDays: 14,
    says: { 10: ['active'], 90: ['canceled'], 100: ['canceled', 'active'] },
  })
  assert.equal(course(again), 'run 0–89, stop 90–99, run 100–364')
  const upgrade = year({
    says: {
      0: ['active'],
      50: ['active', 'incomplete'],
      51: ['active', 'active'],
      60: ['canceled', 'active'],
    },
  })
  assert.equal(course(upgrade), 'run 0–364')
  // Subscribing leaves the trial behind; a first payment that fails does not.
  assert.equal(
    course(year({ trialDays: 14, says: { 2: ['active'], 5: ['canceled'] } })),
    'run 0–4, stop 5–34, remove 35–364',
  )
})

test('an account whose customer is gone from Stripe does not run for free', () => {
  const end = 'run 0–99, stop 100–129, remove 130–364'
  assert.equal(course(year({ says: { 0: ['active'], 100: [] } })), end)
  assert.equal(course(year({ trialDays: 14, says: { 0: ['active'], 100: [] } })), end)
  // An unfinished order changes nothing.
  assert.equal(
    course(year({ says: { 0: ['active'], 5: [], 9: ['incomplete'] } })),
    'run 0–4, stop 5–34, remove 35–364',
  )
  assert.equal(
    course(year({ says: { 0: ['active'], 50: [], 60: ['active'] } })),
    'run 0–49, stop 50–59, run 60–364',
  )
})

test('an account with neither a trial nor a plan is left alone', () => {
  assert.equal(course(year({ says: {} })), 'none 0–364')
  assert.equal(course(year({ says: { 0: ['incomplete'] } })), 'none 0–364')
})

test('assessments are repeatable, and setting the clock back stops nothing', () => {
  const facts: Facts = {
    trialEndsAt: start + 14 * day,
    subscriptions: [{ status: 'past_due', statusSince: start + 20 * day }],
    before: { state: 'grace', since: start + 20 * day },
  }
  for (const now of [start + 20 * day, start + 33 * day, start - 300 * day]) {
    assert.deepEqual(assess(facts, terms, now), assess(facts, terms, now))
    assert.equal(assess(facts, terms, now).instances, 'run')
  }
  assert.equal(assess(facts, terms, start + 34 * day).instances, 'stop')
})

test('a cancelled subscription runs to its end, with known dates; another one that continues removes them', () => {
  const ends = (cancelAt: number | null) => ({ status: 'active' as const, statusSince: start, cancelAt })
  const look = (subscriptions: Facts['subscriptions'], now = start) =>
    assess({ trialEndsAt: null, subscriptions, before: null }, terms, now)
  const { state, instances, ladder } = look([ends(start + 20 * day), ends(start + 10 * day)])
  assert.deepEqual([state, instances], ['paid', 'run'])
  assert.deepEqual(
    ladder.map(({ at, what }) => [what, (at - start) / day]),
    [
      ['stop', 20],
      ['remove', 50],
      ['delete', 80],
    ],
  )
  assert.deepEqual(look([ends(start + 20 * day), ends(null)]).ladder, [])
  // Stripe says when it has ended: until then it runs on, and no date lies behind.
  const late = look([ends(start + 20 * day)], start + 21 * day)
  assert.deepEqual([late.instances, late.ladder], ['run', []])
})

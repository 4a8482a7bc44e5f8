import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../../src/testing/eventually.ts'
import type { WireInstance } from '../../provisioner/pages/wire.ts'
import { plans, type Shop } from '../shop.fixture.ts'
import { type Person, subscriptionsOf } from './year-people.fixture.ts'

export interface Weather {
  deaf: boolean
  away: boolean
}

/** The terms, in days: the defaults of the product. */
const trialDays = 14
const graceDays = 14
const removalDays = 30
const keptDays = 30

/** Why an account's instances run on a day; null when nothing pays for them. */
type Ground = 'paid' | 'trial' | 'grace' | null

export interface Figures {
  /** Days of accounts by the ground on which their instances ran, or did not. */
  days: Record<'paid' | 'trial' | 'grace' | 'none', number>
  invoices: { paid: number; open: number }
  stops: number
  comebacks: number
  removals: number
  purges: number
  letters: number
  events: number
}

interface Account {
  ground: Ground
  /** Somebody who subscribed has left the trial behind. */
  subscribed: boolean
  /** The day on which a failed payment was seen. */
  failedOn: number | null
  /** The first day without a ground. */
  overOn: number | null
  team: boolean
  stops: number
  comebacks: number
  failures: number
}
interface Traces {
  stoppedOn: number | null
  removedOn: number | null
  purged: boolean
  removals: number
}

export interface YearSeen {
  figures: Figures
  /** Subjects of the letters, in order. */
  subjects: readonly string[]
}

/**
 * Looks at a shop day by day, with a mind of its own: from Stripe's invoices, not from what the product has read, it says
 * who must run, and holds everything that can be seen against that.
 */
export function openWatch(shop: Shop, people: readonly Person[]) {
  const { state } = shop.stripe
  const accounts = new Map(people.map(person => [person, newAccount()]))
  const traces = new Map<string, Traces>()
  const figures: Figures = {
    days: { paid: 0, trial: 0, grace: 0, none: 0 },
    invoices: { paid: 0, open: 0 },
    ...{ stops: 0, comebacks: 0, removals: 0, purges: 0, letters: 0, events: 0 },
  }

  /** Something that was paid, and whose time goes on. */
  const isCovered = (person: Person) =>
    subscriptionsOf(state, person).some(({ ended_at, latest_invoice, items }) => {
      const paid = state.invoices.get(latest_invoice ?? '')?.status === 'paid'
      return ended_at === null && paid && (items.data[0]?.current_period_end ?? 0) > state.now()
    })

  /** While Stripe is away, what was seen before it went holds; time goes on. */
  const groundOf = (person: Person, account: Account, today: number, { away }: Weather): Ground => {
    const all = subscriptionsOf(state, person)
    const failed = all.some(({ status }) => status === 'past_due')
    if (!away) {
      account.subscribed ||= all.length > 0
      account.failedOn = failed ? (account.failedOn ?? today) : null
      const price = all.findLast(({ ended_at }) => ended_at === null)?.items.data[0]?.price.id
      account.team = plans.find(plan => plan.price === price)?.id === 'team'
    }
    if (away ? account.ground === 'paid' : isCovered(person)) return 'paid'
    if (!account.subscribed) return today < trialDays ? 'trial' : null
    return account.failedOn !== null && today - account.failedOn < graceDays ? 'grace' : null
  }

  /** Oldest first. */
  const listed = async () =>
    (await shop.admin<{ instances: WireInstance[] }>('GET', '/admin/instances')).body.instances.sort((a, b) =>
      a.created_at.localeCompare(b.created_at),
    )

  /** Words for what is not as it must be; null when everything is. */
  const fault = (account: Account, instances: readonly WireInstance[], today: number): string | null => {
    for (const [index, { subdomain, status, operation, suspension }] of instances.entries()) {
      const how = `${subdomain} is ${status} (${suspension ?? 'not suspended'})`
      if (operation?.status === 'pending' || operation?.status === 'running')
        return `${how}, and being worked on`
      const mustRun = account.ground !== null && (index === 0 || account.team)
      if (mustRun && status !== 'running') return `${how}, and must run: ${account.ground}`
      if (!mustRun && status !== 'stopped' && status !== 'deleted') return `${how}, and nothing pays for it`
      const overFor = account.overOn === null ? 0 : today - account.overOn
      // A week in which Stripe is away counts for nothing.
      if (status === 'stopped' && overFor > removalDays + 8) return `${how}, and should be removed`
    }
    return null
  }

  const follow = (instance: WireInstance, account: Account, today: number): void => {
    const { subdomain, status } = instance
    const trace = traces.get(subdomain) ?? { stoppedOn: null, removedOn: null, purged: false, removals: 0 }
    traces.set(subdomain, trace)
    trace.stoppedOn = status === 'running' ? null : (trace.stoppedOn ?? today)
    if (status === 'deleted' && trace.removedOn === null) {
      trace.removals++
      figures.removals++
      assert.ok(
        today - (trace.stoppedOn ?? today) >= removalDays,
        `day ${today}: ${subdomain} removed too early`,
      )
      assert.equal(account.ground, null, `day ${today}: ${subdomain} removed though ${account.ground}`)
    }
    trace.removedOn = status === 'deleted' ? (trace.removedOn ?? today) : null
    assert.ok(
      existsSync(join(shop.root, subdomain, 'precious')),
      `day ${today}: the data of ${subdomain} is gone`,
    )
  }

  return {
    /** Whether anything waits for its deletion. */
    removed: () => [...traces.values()].some(({ removedOn, purged }) => removedOn !== null && !purged),

    /** The end of a day. */
    look: async (today: number, weather: Weather): Promise<void> => {
      for (const [person, account] of accounts) {
        const before = account.ground
        account.ground = groundOf(person, account, today, weather)
        account.overOn = account.ground === null ? (account.overOn ?? today) : null
        figures.days[account.ground ?? 'none']++
        if (before !== null && account.ground === null) account.stops++
        if (before === null && account.ground !== null) account.comebacks++
        if (before !== 'grace' && account.ground === 'grace') account.failures++
      }
      let all: WireInstance[] = []
      await eventually(`day ${today}: everything is as it must be`, async () => {
        all = await listed()
        for (const [{ email }, account] of accounts) {
          const mine = all.filter(each => each.owner_email === email)
          const found = fault(account, mine, today)
          if (found) throw new Error(found)
        }
        return true
      })
      const { body } = await shop.admin<{ accounts: { email: string; state: string }[] }>(
        'GET',
        '/admin/billing',
      )
      for (const [{ email }, account] of accounts) {
        const told = body.accounts.find(each => each.email === email)?.state
        assert.equal(told, account.ground ?? 'over', `day ${today}: ${email}`)
        for (const each of all) if (each.owner_email === email) follow(each, account, today)
      }
      for (const [subdomain, trace] of traces) {
        if (trace.purged || all.some(each => each.subdomain === subdomain)) continue
        const { removedOn } = trace
        assert.ok(
          removedOn !== null && today - removedOn >= keptDays,
          `day ${today}: ${subdomain} purged too early`,
        )
        assert.ok(!existsSync(join(shop.root, subdomain)), `day ${today}: ${subdomain} is not gone`)
        trace.purged = true
        figures.purges++
      }
    },

    /** The end of the year. */
    end: async (): Promise<YearSeen> => {
      const subjects = await shop.letters()
      figures.letters = subjects.length
      figures.events = state.events.length
      for (const { status } of state.invoices.values())
        figures.invoices[status === 'paid' ? 'paid' : 'open']++
      for (const [{ name, made }, account] of accounts) {
        figures.stops += account.stops
        figures.comebacks += account.comebacks
        for (let one = 1; one <= made; one++) {
          const subdomain = `${name}-${one}`
          const count = (words: RegExp) =>
            subjects.filter(subject => words.test(subject) && subject.includes(`${subdomain}`)).length
          const removals = traces.get(subdomain)?.removals ?? 0
          for (const [words, least, most] of [
            [/ is ready$/, 1, 1],
            [/^The trial of /, 0, 2],
            [/^A payment for /, 0, account.failures],
            [/ has stopped$/, 0, account.stops],
            [/ is back$/, 0, account.comebacks],
            [/^The data of /, 0, 2 * removals],
          ] as const) {
            const times = count(words)
            assert.ok(
              times >= least && times <= most,
              `${subdomain}: ${times} letters ${words}, not ${least}–${most}`,
            )
          }
        }
      }
      return { figures, subjects }
    },
  }
}

const newAccount = (): Account => ({
  ground: 'trial',
  subscribed: false,
  failedOn: null,
  overOn: null,
  team: false,
  stops: 0,
  comebacks: 0,
  failures: 0,
})

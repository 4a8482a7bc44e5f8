import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../../src/testing/eventually.ts'
import type { WireInstance } from '../../provisioner/pages/wire.ts'
import { plans, type Shop } from '../shop.fixture.ts'
import { type Person, subscriptionsOf } from './year-people.fixture.ts'
import {
  type Account,
  emailCounts,
  enterDay,
  faultOf,
  type Ground,
  keptDays,
  newAccount,
  removalDays,
  unpaidGround,
} from './year-rules.fixture.ts'

export interface Weather {
  deaf: boolean
  away: boolean
}

export interface Figures {
  /** Days of accounts by the ground on which their instances ran, or did not. */
  days: Record<'paid' | 'trial' | 'grace' | 'none', number>
  invoices: { paid: number; open: number }
  stops: number
  comebacks: number
  removals: number
  purges: number
  emails: number
  events: number
}

interface Trace {
  stoppedOn: number | null
  removedOn: number | null
  purged: boolean
  removals: number
}

export interface YearSeen {
  figures: Figures
  /** Subjects of the emails, in order. */
  subjects: readonly string[]
}

/**
 * Looks at a shop day by day and judges it independently: from Stripe's invoices, not from what the product has read, it
 * works out who must run, and compares everything that can be seen with that. The rules are in `year-rules.fixture.ts`.
 */
export class Watch {
  readonly #shop: Shop
  readonly #accounts: ReadonlyMap<Person, Account>
  readonly #traces = new Map<string, Trace>()
  readonly #figures: Figures = {
    days: { paid: 0, trial: 0, grace: 0, none: 0 },
    invoices: { paid: 0, open: 0 },
    ...{ stops: 0, comebacks: 0, removals: 0, purges: 0, emails: 0, events: 0 },
  }

  constructor(shop: Shop, people: readonly Person[]) {
    this.#shop = shop
    this.#accounts = new Map(people.map(person => [person, newAccount()]))
  }

  /** Whether the data of any removed instance is still kept. */
  get isAnyRemoved(): boolean {
    return [...this.#traces.values()].some(({ removedOn, purged }) => removedOn !== null && !purged)
  }

  /** Looks at the end of a day. */
  async look(today: number, weather: Weather): Promise<void> {
    for (const [person, account] of this.#accounts) {
      const ground = this.#groundOf(person, account, today, weather)
      enterDay(account, ground, today)
      this.#figures.days[ground ?? 'none']++
    }
    const all = await this.#rest(today)
    await this.#compareStates(today)
    for (const [{ email }, account] of this.#accounts) {
      for (const each of all) if (each.owner_email === email) this.#follow(each, account, today)
    }
    this.#notePurges(all, today)
  }

  /** Adds up the year, and counts the emails of every instance. */
  async end(): Promise<YearSeen> {
    const figures = this.#figures
    const { state } = this.#shop.stripe
    const subjects = await this.#shop.emails()
    figures.emails = subjects.length
    figures.events = state.events.length
    for (const { status } of state.invoices.values()) figures.invoices[status === 'paid' ? 'paid' : 'open']++
    for (const [{ name, made }, account] of this.#accounts) {
      figures.stops += account.stops
      figures.comebacks += account.comebacks
      for (let one = 1; one <= made; one++) this.#countEmails(`${name}-${one}`, account, subjects)
    }
    return { figures, subjects }
  }

  /** Whether something is paid for that has time left. */
  #isCovered(person: Person): boolean {
    const { state } = this.#shop.stripe
    return subscriptionsOf(state, person).some(({ ended_at, latest_invoice, items }) => {
      const paid = state.invoices.get(latest_invoice ?? '')?.status === 'paid'
      return ended_at === null && paid && (items.data[0]?.current_period_end ?? 0) > state.now()
    })
  }

  /** While Stripe is away, what was seen before holds; time goes on. */
  #groundOf(person: Person, account: Account, today: number, { away }: Weather): Ground {
    const all = subscriptionsOf(this.#shop.stripe.state, person)
    const failed = all.some(({ status }) => status === 'past_due')
    if (!away) {
      account.subscribed ||= all.length > 0
      account.failedOn = failed ? (account.failedOn ?? today) : null
      const price = all.findLast(({ ended_at }) => ended_at === null)?.items.data[0]?.price.id
      account.team = plans.find(plan => plan.price === price)?.id === 'team'
    }
    if (away ? account.ground === 'paid' : this.#isCovered(person)) return 'paid'
    return unpaidGround(account, today)
  }

  /** Waits until every instance is as it must be; returns them all, oldest first. */
  async #rest(today: number): Promise<WireInstance[]> {
    let all: WireInstance[] = []
    await eventually(`day ${today}: everything is as it must be`, async () => {
      const { body } = await this.#shop.admin<{ instances: WireInstance[] }>('GET', '/admin/instances')
      all = body.instances.sort((a, b) => a.created_at.localeCompare(b.created_at))
      for (const [{ email }, account] of this.#accounts) {
        const mine = all.filter(each => each.owner_email === email)
        const fault = faultOf(account, mine, today)
        if (fault) throw new Error(fault)
      }
      return true
    })
    return all
  }

  /** What the operator sees of each account is what the watch has worked out. */
  async #compareStates(today: number): Promise<void> {
    const { body } = await this.#shop.admin<{ accounts: { email: string; state: string }[] }>(
      'GET',
      '/admin/billing',
    )
    for (const [{ email }, account] of this.#accounts) {
      const shown = body.accounts.find(each => each.email === email)?.state
      assert.equal(shown, account.ground ?? 'over', `day ${today}: ${email}`)
    }
  }

  #follow({ subdomain, status }: WireInstance, account: Account, today: number): void {
    const trace = this.#traces.get(subdomain) ?? {
      ...{ stoppedOn: null, removedOn: null, purged: false, removals: 0 },
    }
    this.#traces.set(subdomain, trace)
    trace.stoppedOn = status === 'running' ? null : (trace.stoppedOn ?? today)
    if (status === 'deleted' && trace.removedOn === null) {
      trace.removals++
      this.#figures.removals++
      assert.ok(
        today - (trace.stoppedOn ?? today) >= removalDays,
        `day ${today}: ${subdomain} removed too early`,
      )
      assert.equal(account.ground, null, `day ${today}: ${subdomain} removed though ${account.ground}`)
    }
    trace.removedOn = status === 'deleted' ? (trace.removedOn ?? today) : null
    assert.ok(
      existsSync(join(this.#shop.root, subdomain, 'precious')),
      `day ${today}: the data of ${subdomain} is gone`,
    )
  }

  #notePurges(all: readonly WireInstance[], today: number): void {
    for (const [subdomain, trace] of this.#traces) {
      if (trace.purged || all.some(each => each.subdomain === subdomain)) continue
      const { removedOn } = trace
      assert.ok(
        removedOn !== null && today - removedOn >= keptDays,
        `day ${today}: ${subdomain} purged too early`,
      )
      assert.ok(!existsSync(join(this.#shop.root, subdomain)), `day ${today}: ${subdomain} is not gone`)
      trace.purged = true
      this.#figures.purges++
    }
  }

  #countEmails(subdomain: string, account: Account, subjects: readonly string[]): void {
    const removals = this.#traces.get(subdomain)?.removals ?? 0
    for (const [words, least, most] of emailCounts(account, removals)) {
      const times = subjects.filter(subject => words.test(subject) && subject.includes(subdomain)).length
      assert.ok(
        times >= least && times <= most,
        `${subdomain}: ${times} emails ${words}, not ${least}–${most}`,
      )
    }
  }
}

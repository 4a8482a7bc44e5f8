import type { TestContext } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { day, openShop, type Shop } from '../shop.fixture.ts'
import { act, charge, type Deed, make, type Person } from './year-people.fixture.ts'
import { Watch, type Weather, type YearSeen } from './year-watch.fixture.ts'

export interface Year {
  /** What each of them does, by day. Each of them makes an instance before the first day and tries it. */
  people: Record<string, Record<number, Deed>>
  /** First days of a week in which Stripe’s events are lost. */
  deaf: readonly number[]
  /** First days of a week in which Stripe is away: nothing happens there, and it cannot be asked. */
  away: readonly number[]
}

const inWeek = (starts: readonly number[], today: number) =>
  starts.some(start => today >= start && today < start + 7)

/** Lives a year of daily looks in a shop of its own, and holds every day of it against what must be true. */
export async function liveYear(t: TestContext, year: Year): Promise<YearSeen> {
  const shop = await openShop(t, {
    root: memoryFolder(t),
    env: { HEALTH_TIMEOUT: '30s', HEALTH_INTERVAL: '2s' },
  })
  const people: Person[] = []
  for (const name of Object.keys(year.people)) {
    const browser = await shop.owner(name)
    people.push({ name, email: `${name}@example.com`, browser, card: 'good', made: 0, failing: null })
  }
  for (const person of people) await make(shop, person)
  const watch = new Watch(shop, people)

  let wasBad = false
  for (let today = 1; today < 365; today++) {
    const weather: Weather = { deaf: inWeek(year.deaf, today), away: inWeek(year.away, today) }
    await pass(shop, watch.isAnyRemoved ? 16 : 1)
    shop.stripe.mood = weather.away ? (today % 2 ? 'away' : 'failing') : 'well'
    for (const person of people) {
      const deed = year.people[person.name]?.[today]
      if (deed) await act(shop, person, deed, weather)
      if (!weather.away) charge(shop.stripe.state, person)
    }
    const bad = weather.deaf || weather.away
    await hear(shop, weather, bad || wasBad)
    wasBad = bad
    await shop.run('enforce')
    await watch.look(today, weather)
    if (today % 7 === 0) await shop.program.runOnce('mail:send')
  }
  return watch.end()
}

/** Processes the delivered events; `asks` when some may be missing, as after lost events. In good weather events must suffice. */
async function hear(shop: Shop, { deaf, away }: Weather, asks: boolean): Promise<void> {
  const told = await shop.stripe.deliver(deaf ? async () => {} : shop.post)
  if (told > 0 && !deaf) await shop.deliverEvents()
  if (!asks) return
  await shop.run('reconcile').catch(error => {
    if (!away) throw error
  })
}

/** A day goes by, in which the retention timer looks so often; one look counts an hour and a half at most. */
async function pass({ clock, program }: Shop, looks: number): Promise<void> {
  for (let look = 0; look < looks; look++) {
    clock.advance(day / looks)
    await program.runOnce('provisioner:retention')
  }
}

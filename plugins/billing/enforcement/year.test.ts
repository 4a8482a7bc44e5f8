import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { liveYear, type Year } from './year.fixture.ts'
import { type Deed, deeds } from './year-people.fixture.ts'

/** A year is many days; on a machine that has other things to do they take their time. */
const timeout = 600_000

test('a year in the life of six owners', { timeout }, async t => {
  const { figures, subjects } = await liveYear(t, {
    deaf: [60, 250],
    away: [180],
    people: {
      // Pays all year, on one plan and another.
      ada: {
        10: 'buy basic',
        100: 'change to team',
        101: 'make another',
        200: 'change to basic',
        240: 'change to team',
        300: 'buy team',
      },
      // A card that fails and works again: within the grace period, after it, and for good.
      bob: {
        5: 'buy basic',
        30: 'card fails',
        42: 'card works',
        90: 'card fails',
        120: 'card works',
        270: 'card fails',
      },
      // Never pays.
      cid: {},
      // Cancels, thinks better of it, cancels all the same, and comes back twice: when it is stopped, and when removed.
      dee: {
        3: 'buy team',
        20: 'cancel',
        25: 'keep',
        40: 'cancel',
        80: 'buy basic',
        115: 'cancel',
        190: 'buy basic',
      },
      // Is gone for good, and begins anew.
      eve: { 2: 'buy basic', 6: 'quit', 200: 'buy basic', 201: 'make' },
      // The bank takes the money back: once for a while, once for good, and the operator ends it. Comes back with less.
      fay: {
        8: 'buy basic',
        50: 'dispute',
        70: 'dispute won',
        110: 'dispute',
        130: 'dispute lost',
        131: 'quit',
        170: 'buy team',
        175: 'make another',
        200: 'quit',
        210: 'buy basic',
        230: 'change to team',
      },
    },
  })
  t.diagnostic(JSON.stringify(figures))
  const emails = (subdomain: string) =>
    subjects
      .filter(each => each.includes(subdomain))
      .map(each => each.replaceAll(subdomain, 'it').replace(/\d.*/, 'a day'))
  const trialEnds = 'The trial of it ends on a day'
  const dataGoes = 'The data of it will be deleted on a day'
  const [ready, failed, stopped, back] = [
    'it is ready',
    'A payment for it failed',
    'it has stopped',
    'it is back',
  ]
  assert.deepEqual(
    Object.fromEntries(
      ['ada-1', 'ada-2', 'bob-1', 'cid-1', 'dee-1', 'eve-1', 'eve-2', 'fay-1', 'fay-2'].map(name => [
        name,
        emails(name),
      ]),
    ),
    {
      'ada-1': [ready],
      'ada-2': [ready],
      'bob-1': [ready, failed, failed, stopped, back, failed, stopped, dataGoes, dataGoes],
      'cid-1': [ready, trialEnds, trialEnds, stopped, dataGoes, dataGoes],
      'dee-1': [ready, stopped, back, stopped, back],
      'eve-1': [ready, stopped, dataGoes, dataGoes],
      'eve-2': [ready],
      'fay-1': [ready, stopped, back, stopped, back],
      'fay-2': [ready, stopped],
    },
  )
})

/** `YEARS=100` for more; a run of all tests has less time. */
const years = Number(process.env.YEARS ?? 1)
const seed = Number(process.env.SEED ?? 20261122)

/** Some things happen more often than others, or nothing would ever last. */
const often: readonly Deed[] = [
  ...deeds,
  'buy basic',
  'buy basic',
  'buy team',
  'card fails',
  'card works',
  'card works',
]
const course = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 364 }), fc.constantFrom(...often)), {
    minLength: 5,
    maxLength: 25,
  })
  .map(done => Object.fromEntries(done))
const week = fc.array(fc.integer({ min: 1, max: 350 }), { maxLength: 2 })
const anyYear: fc.Arbitrary<Year> = fc.record({
  people: fc.record({ ada: course, bob: course, cid: course, dee: course }),
  deaf: week,
  away: week,
})

for (const [index, year] of fc.sample(anyYear, { seed, numRuns: years }).entries()) {
  test(`year ${index + 1} of seed ${seed}: accounts that pay run, and no others`, { timeout }, async t => {
    const { figures } = await liveYear(t, year)
    t.diagnostic(JSON.stringify(figures))
  })
}

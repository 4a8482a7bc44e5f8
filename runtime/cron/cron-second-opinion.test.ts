import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CronExpressionParser } from 'cron-parser'
import { nextSlot } from './cron.ts'
import { stretchAt } from './zone.ts'

/** How many expressions are compared; more with `CRON_CASES=100000`. */
const cases = Number(process.env.CRON_CASES ?? 10_000)
const seed = Number(process.env.CRON_SEED ?? 20_261_122)
const dayMs = 86_400_000

/** Numbers from 0 to below 1 that are the same in every run (mulberry32). */
function chance(state: number): () => number {
  let at = state
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function expressions(random: () => number) {
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const pick = <T>(of: readonly T[]): T => of[whole(0, of.length - 1)] as T
  const named = {
    month: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC',
    weekday: 'SUN MON TUE WED THU FRI SAT',
  }
  /** One part of a list, from values of its own: cron-parser refuses a list that names a value twice. */
  const part = (least: number, most: number, names: string[] | null, lowest: number): string => {
    const name = (value: number) =>
      names && random() < 0.3 ? (names[value - lowest] ?? String(value)) : String(value)
    const first = whole(least, most)
    const last = whole(first, most)
    const kind = random()
    if (kind < 0.5) return name(first)
    if (kind < 0.8) return `${name(first)}-${name(last)}`
    return `${first}-${last}/${whole(1, Math.max(1, last - first))}`
  }
  const field = (least: number, most: number, everything: number, names: string[] | null = null): string => {
    const kind = random()
    if (kind < everything) return '*'
    if (kind < everything + 0.15) return `*/${whole(1, most - least)}`
    const count = random() < 0.7 ? 1 : whole(2, 4)
    const share = Math.floor((most - least + 1) / count)
    const parts = Array.from({ length: count }, (_, at) => {
      const first = least + at * share
      return part(first, first + share - 1, names, least)
    })
    return (random() < 0.5 ? parts : parts.reverse()).join(',')
  }
  return () => {
    const fields = [field(0, 59, 0.2), field(0, 23, 0.3)]
    // Where both days are restricted, either will do; see below what happens to steps beside that.
    const days = pick(['any', 'month', 'week', 'both'])
    fields.push(days === 'month' || days === 'both' ? field(1, 31, 0) : '*')
    fields.push(field(1, 12, 0.7, named.month.split(' ')))
    fields.push(days === 'week' || days === 'both' ? field(0, 6, 0, named.weekday.split(' ')) : '*')
    // A star with a step beside the other day, and the star that Quartz writes.
    const star = () => `*/${whole(1, 6)}`
    if (days === 'both' && random() < 0.5) fields[random() < 0.5 ? 2 : 4] = star()
    for (const day of [2, 4]) if (fields[day] === '*' && random() < 0.2) fields[day] = '?'
    if (random() < 0.2) fields.unshift(field(0, 59, 0.1))
    return fields.join(' ')
  }
}

/**
 * The second implementation takes either of two days where one begins with a star, and is asked here for each of them:
 * a time that both answer fits both.
 */
function secondOpinion(cron: string, from: number, tz: string): number {
  const fields = cron.split(' ')
  const [day, weekday] = [fields.length - 3, fields.length - 1]
  const both = [day, weekday].some(at => fields[at]?.startsWith('*'))
  const asked = (free: number) => {
    const expression = fields.with(free, '*').join(' ')
    return (after: number) =>
      CronExpressionParser.parse(expression, { currentDate: new Date(after), tz })
        .next()
        .getTime()
  }
  if (!both)
    return CronExpressionParser.parse(cron, { currentDate: new Date(from), tz })
      .next()
      .getTime()
  const [byDay, byWeekday] = [asked(weekday), asked(day)]
  let [first, second] = [byDay(from), byWeekday(from)]
  while (first !== second) {
    if (first < second) first = byDay(second - 1)
    else second = byWeekday(first - 1)
  }
  return first
}

test(`${cases} random schedules match a second implementation`, t => {
  const random = chance(seed)
  const expression = expressions(random)
  const zones = Intl.supportedValuesOf('timeZone')
  const start = Date.parse('2024-01-01T00:00:00Z')
  let compared = 0
  let far = 0
  const differing: string[] = []
  while (compared < cases) {
    const cron = expression()
    const timezone = zones[Math.floor(random() * zones.length)] ?? 'UTC'
    const from = start + Math.floor(random() * 6 * 365 * 86_400) * 1000
    const calm = stretchAt(timezone, from)
    if (from < calm.start + dayMs) continue
    const ours = nextSlot({ cron, timezone }, from)?.at ?? null
    if (ours === null || ours > calm.end - dayMs) {
      far++
      continue
    }
    compared++
    const theirs = secondOpinion(cron, from, timezone)
    if (ours === theirs) continue
    const [due, opinion] = [ours, theirs].map(at => new Date(at).toISOString())
    differing.push(`${cron} in ${timezone} after ${new Date(from).toISOString()}: ${due}, not ${opinion}`)
  }
  t.diagnostic(`${compared} compared, ${far} beyond the next clock change; seed ${seed}`)
  assert.deepEqual(differing.slice(0, 20), [], `${differing.length} of ${compared} differ`)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextSlot } from '../../cron/cron.ts'
import { localTime, stretchAt } from '../../cron/zone.ts'

/**
 * Debian's rules, done the slow way: every real minute around a change is looked at, and what its cron would do at that
 * minute is done. Jobs whose minutes or hours begin with `*` go by what the clock shows; others run for each minute
 * that the clock jumped over, once when it has, and never for a minute that the clock shows again.
 */
function debianSlots(cron: string, timezone: string, from: number, to: number): number[] {
  const [minutes = '', hours = ''] = cron.split(' ')
  const [ofHour, ofDay] = [new Set(values(minutes)), new Set(values(hours))]
  const fits = (wall: number) =>
    ofHour.has((wall / minuteMs) % 60) && ofDay.has(Math.floor(wall / minuteMs / 60) % 24)
  const wildcard = minutes.startsWith('*') || hours.startsWith('*')
  const slots: number[] = []
  let furthest = wallAt(timezone, from)
  for (let at = from + minuteMs; at <= to; at += minuteMs) {
    const wall = wallAt(timezone, at)
    let due = wildcard && fits(wall)
    for (; !wildcard && furthest < wall; furthest += minuteMs) due ||= fits(furthest + minuteMs)
    if (due) slots.push(at)
  }
  return slots
}

const minuteMs = 60_000
const wallAt = (timezone: string, at: number) => at + stretchAt(timezone, at).offsetMs

/** Of `*`, `*\/n`, numbers, ranges and lists, with 59 as the greatest. */
function values(field: string): number[] {
  const all = Array.from({ length: 60 }, (_, value) => value)
  return field.split(',').flatMap(part => {
    const [range = '', step = '1'] = part.split('/')
    const [first = 0, last = first] = range === '*' ? [0, 59] : range.split('-').map(Number)
    return all.filter(value => value >= first && value <= last && (value - first) % Number(step) === 0)
  })
}

const changes: [zone: string, day: string, what: string][] = [
  ['Europe/Berlin', '2026-03-29', '02:00 to 03:00'],
  ['Europe/Berlin', '2026-10-25', '03:00 to 02:00'],
  ['America/New_York', '2026-03-08', '02:00 to 03:00'],
  ['America/New_York', '2026-11-01', '02:00 to 01:00'],
  ['Europe/London', '2026-03-29', '01:00 to 02:00'],
  ['Europe/London', '2026-10-25', '02:00 to 01:00'],
  ['Atlantic/Azores', '2026-03-29', '00:00 to 01:00, a skipped midnight'],
  ['Atlantic/Azores', '2026-10-25', '01:00 to 00:00, a repeated midnight'],
  ['Australia/Lord_Howe', '2026-10-04', '02:00 to 02:30, half an hour'],
  ['Australia/Lord_Howe', '2026-04-05', '02:00 to 01:30, half an hour'],
  ['America/Santiago', '2026-09-06', '00:00 to 01:00, a skipped midnight'],
  ['America/Santiago', '2026-04-05', '24:00 to 23:00, the day before again'],
  ['Africa/Cairo', '2026-04-24', '00:00 to 01:00, a skipped midnight'],
  ['Asia/Beirut', '2026-03-29', '00:00 to 01:00, a skipped midnight'],
  ['America/Havana', '2026-11-01', '01:00 to 00:00, a repeated midnight'],
  ['Africa/Casablanca', '2026-02-15', 'an hour back for Ramadan'],
]

const schedules = [
  '0 1-3 * * *',
  '15,45 1,2 * * *',
  '0 0 * * *',
  '30 0 * * *',
  '0,30 2 * * *',
  '15 2 * * *',
  '30 1 * * *',
  '59 23 * * *',
  '0 0,1,2,3 * * *',
  '5-10 0-4/2 * * *',
  '0 */2 * * *',
  '*/20 1-3 * * *',
  '30 * * * *',
  '*/7 * * * *',
  '0 3 * * *',
]

test('slots around clock changes match Debian’s cron', () => {
  for (const [timezone, day, what] of changes) {
    const from = Date.parse(`${day}T00:00:00Z`) - 36 * 3_600_000
    const to = from + 84 * 3_600_000
    const changed = stretchAt(timezone, from).end
    assert.ok(changed < to, `the clocks of ${timezone} change around ${day}`)
    for (const cron of schedules) {
      const slots: number[] = []
      for (let slot = nextSlot({ cron, timezone }, from); slot && slot.at <= to; ) {
        slots.push(slot.at)
        slot = nextSlot({ cron, timezone }, slot.at)
      }
      const local = (all: number[]) => all.map(at => localTime(timezone, at))
      const expected = debianSlots(cron, timezone, from, to)
      assert.deepEqual(local(slots), local(expected), `${cron} in ${timezone}: ${what}`)
    }
  }
})

test('clock changes follow the three rules that surprise people most', () => {
  const on = (cron: string, timezone: string, from: string, count: number) => {
    const found: string[] = []
    for (let at = Date.parse(from); found.length < count; ) {
      const slot = nextSlot({ cron, timezone }, at)
      if (!slot) break
      at = slot.at
      found.push(localTime(timezone, at))
    }
    return found
  }
  assert.deepEqual(on('0 1-3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:00:00+01:00',
    '2026-03-29T03:00:00+02:00',
  ])
  assert.deepEqual(on('15,45 1,2 * * *', 'America/New_York', '2026-11-01T04:00:00Z', 4), [
    '2026-11-01T01:15:00-04:00',
    '2026-11-01T01:45:00-04:00',
    '2026-11-01T02:15:00-05:00',
    '2026-11-01T02:45:00-05:00',
  ])
  assert.deepEqual(on('0 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', 2), [
    '2026-09-06T01:00:00-03:00',
    '2026-09-07T00:00:00-03:00',
  ])
})

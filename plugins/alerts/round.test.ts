import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Concern } from '../../src/kernel/concern.ts'
import { decideRound, type OpenAlert } from './round.ts'

const minute = 60_000
const settings = { afterMs: minute, repeatMs: 60 * minute }

function concern(subject: string, more: Partial<Concern> = {}): Concern {
  return {
    kind: 'instance-failed',
    subject,
    subdomain: subject,
    summary: `${subject} has failed`,
    detail: '',
    urgency: 'alert',
    path: '/',
    ...more,
  }
}

/** Plays rounds a minute apart and returns what operators read, by minute. */
function play(rounds: readonly (readonly Concern[])[], silences: Parameters<typeof decideRound>[2] = []) {
  let known: OpenAlert[] = []
  let id = 0
  return rounds.flatMap((concerns, at) => {
    const round = decideRound(known, concerns, silences, {
      ...settings,
      now: at * minute,
      newId: () => `alert_${id++}`,
    })
    known = round.open
    const words = (name: string, alerts: readonly OpenAlert[]) =>
      alerts.map(({ subject }) => `${at}: ${name} ${subject}`)
    return [
      ...words('opened', round.opened),
      ...words('reminded', round.reminded),
      ...words('over', round.recovered),
    ]
  })
}

test('what lasts is an alert, and its end is another', () => {
  const a = concern('a')
  assert.deepEqual(play([[a], [a], [a], [a], [], [], []]), ['1: opened a', '5: over a'])
})

test('what passes by itself wakes no one', () => {
  assert.deepEqual(play([[concern('a')], [], [], [concern('a')], [], []]), [])
})

test('what comes and goes is one alert', () => {
  const a = concern('a')
  assert.deepEqual(play([[a], [a], [], [a], [], [a], [], []]), ['1: opened a', '7: over a'])
})

test('things of one round are notified of together, and what stays open is repeated', () => {
  const [a, b] = [concern('a'), concern('b')]
  const rounds = Array.from({ length: 63 }, () => [a, b])
  assert.deepEqual(play(rounds), ['1: opened a', '1: opened b', '61: reminded a', '61: reminded b'])
})

test('a notice is listed and never sent', () => {
  const notice = concern('a', { urgency: 'notice' })
  assert.deepEqual(play([[notice], [notice], [notice], [], []]), [])
})

test('nothing is sent while a silence covers it; what is still there when it ends is sent then', () => {
  const [a, b] = [concern('a'), concern('b', { kind: 'instance-unhealthy' })]
  const rounds = [
    [a, b],
    [a, b],
    [a, b],
    [a, b],
    [a, b],
    [a, b],
  ]
  const until = 4 * minute
  assert.deepEqual(play(rounds, [{ kind: null, subdomain: 'a', until }]), ['1: opened b', '4: opened a'])
  assert.deepEqual(play(rounds, [{ kind: 'instance-unhealthy', subdomain: null, until }]), [
    '1: opened a',
    '4: opened b',
  ])
  const both = play(rounds, [{ kind: null, subdomain: null, until: 9 * minute }])
  assert.deepEqual(both, [])
  assert.deepEqual(play([[a], [a], [], [], []], [{ kind: null, subdomain: 'a', until }]), [], 'nor its end')
})

test('a clock that is set back keeps no one waiting', () => {
  const known: OpenAlert[] = [
    { ...concern('a'), id: 'x', openedAt: 10 * minute, goneAt: null, notifiedAt: null, remindedAt: null },
  ]
  const round = decideRound(known, [concern('a')], [], { ...settings, now: minute, newId: () => 'y' })
  assert.deepEqual(
    round.opened.map(({ id }) => id),
    ['x'],
  )
})

test('whatever happens, each alert is opened before it is over, and never twice in between', () => {
  const names = ['a', 'b', 'c']
  const rounds = fc.array(fc.subarray(names), { maxLength: 40 })
  fc.assert(
    fc.property(rounds, seen => {
      const open = new Set<string>()
      for (const line of play(seen.map(some => some.map(name => concern(name))))) {
        const [, what, name] = line.split(' ') as [string, string, string]
        if (what === 'opened') assert.ok(!open.has(name) && open.add(name), line)
        else assert.ok(open.has(name), line)
        if (what === 'over') open.delete(name)
      }
    }),
  )
})

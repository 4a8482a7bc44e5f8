import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { request } from '../commands/commands.ts'
import { restore } from '../commands/restore.ts'
import { purgeAt } from '../reconciler/retention.ts'
import type { Removal } from '../schema.ts'
import { getInstance } from './instance.ts'
import { testRecords } from './records.fixture.ts'
import { beginRetention, restartRetention, updateRemoval } from './removal.ts'
import { resumeInstance, suspendInstance } from './suspension.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.UTC(2026, 0, 1, 12)

function records(t: TestContext) {
  const fleet = testRecords(t)
  const { id, subdomain } = fleet.add()
  const { db, clock } = fleet
  return {
    ...fleet,
    id,
    now: () => getInstance(db, id),
    /** Removes it and lets the timer see `servedMs` of the retention period pass. */
    remove: (servedMs = 0) => {
      request(fleet, subdomain, 'deprovision', { by: 'billing' })
      beginRetention(db, id, clock.now())
      updateRemoval(db, id, { servedMs })
    },
    restore: () => restore(fleet, subdomain),
    suspend: (why = 'It is not paid for.') => suspendInstance(fleet, id, why),
    resume: () => resumeInstance(fleet, id),
    stop: () => request(fleet, subdomain, 'stop'),
    purge: () => request(fleet, subdomain, 'purge'),
    request: (kind: 'deprovision' | 'start') => request(fleet, subdomain, kind),
  }
}

test('a removal records who requested it and the desired state before, until it is undone', t => {
  const box = records(t)
  assert.equal(box.now().removal, null)
  box.stop()
  box.remove()
  const { removal } = box.now()
  assert.deepEqual(
    [removal?.by, removal?.desiredBefore, removal?.deletedAt, removal?.purgeRequestedAt],
    ['billing', 'stopped', start, null],
  )
  box.restore()
  assert.equal(box.now().removal, null)
  assert.equal(box.now().desired, 'stopped')
  assert.throws(() => box.restore(), /is not removed; there is nothing to undo/)
})

test('a second request for a removal changes nothing about the first, but withdraws its permit to delete', t => {
  const box = records(t)
  box.remove(hour)
  updateRemoval(box.db, box.id, { volumePermit: '1:2:3', withoutCopyAt: 1 })
  const { removal } = box.now()
  box.request('deprovision')
  assert.deepEqual(box.now().removal, { ...removal, volumePermit: null, withoutCopyAt: null })
})

test('the retention period begins once, however often the container is removed', t => {
  const box = records(t)
  box.remove()
  box.clock.advance(day)
  beginRetention(box.db, box.id, box.clock.now())
  assert.equal(box.now().removal?.deletedAt, start)
})

test('a requested purge cannot be undone, and keeps the time of its request', t => {
  const box = records(t)
  box.purge()
  assert.equal(box.now().removal?.purgeRequestedAt, start)
  assert.throws(() => box.restore(), /data of "box-1" is being deleted/)
  box.clock.advance(day)
  box.purge()
  box.request('deprovision')
  assert.equal(box.now().removal?.purgeRequestedAt, start)
})

test('each removal begins a new retention period', t => {
  const box = records(t)
  box.remove(20 * day)
  box.restore()
  box.remove()
  assert.deepEqual([box.now().removal?.servedMs, box.now().removal?.carriedMs], [0, 0])
})

test('while an instance stays suspended, the time of removals that are undone adds up', t => {
  const box = records(t)
  box.suspend()
  box.remove(3 * day)
  box.restore()
  assert.equal(box.now().suspension?.keptMs, 3 * day)
  box.remove(4 * day)
  assert.equal(box.now().removal?.carriedMs, 3 * day)
  box.restore()
  box.suspend('It is beyond the plan.')
  box.remove()
  assert.equal(box.now().removal?.carriedMs, 7 * day)
  // What is resumed while it is removed keeps what was carried over, until it is back.
  box.resume()
  assert.equal(box.now().removal?.carriedMs, 7 * day)
  box.restore()
  box.suspend()
  box.remove()
  assert.equal(box.now().removal?.carriedMs, 0)
})

test('an instance that was resumed carries nothing over', t => {
  const box = records(t)
  box.suspend()
  box.remove(3 * day)
  box.restore()
  box.resume()
  box.suspend()
  box.remove()
  assert.equal(box.now().removal?.carriedMs, 0)
})

test('a new owner has the whole period from the transfer on', t => {
  const box = records(t)
  box.suspend()
  box.remove(3 * day)
  box.restore()
  box.remove(3 * day)
  updateRemoval(box.db, box.id, { objection: 'it is paid again' })
  box.clock.advance(5 * day)
  restartRetention(box.db, box.now(), 'operator', box.clock.now())
  const { removal } = box.now()
  const { by, deletedAt, seenAt, servedMs, carriedMs, objection } = removal as Removal
  assert.deepEqual(
    { by, deletedAt, seenAt, servedMs, carriedMs, objection },
    {
      ...{ by: 'operator', deletedAt: start + 5 * day, seenAt: start + 5 * day },
      ...{ servedMs: 0, carriedMs: 0, objection: null },
    },
  )
})

test('a new owner’s period does not begin while the container is still being removed', t => {
  const box = records(t)
  box.request('deprovision')
  restartRetention(box.db, box.now(), 'operator', box.clock.now())
  assert.deepEqual([box.now().removal?.by, box.now().removal?.deletedAt], ['operator', null])
})

const removal: Removal = {
  ...{ instanceId: 'inst_1', by: 'owner', desiredBefore: 'running', objection: null },
  ...{
    deletedAt: start,
    carriedMs: 0,
    servedMs: 0,
    seenAt: start,
    purgeRequestedAt: null,
    volumePermit: null,
    withoutCopyAt: null,
  },
}
const month = { keptMs: 30 * day }

const dates: [string, Partial<Removal> | null, number, number | null][] = [
  ['nothing is deleted of what is not removed', null, start, null],
  ['nothing is deleted while the container is being removed', { deletedAt: null }, start, null],
  ['the whole period from the removal', {}, start, start + 30 * day],
  [
    'time that the timer saw counts',
    { servedMs: 10 * day, seenAt: start + 10 * day },
    start + 10 * day,
    start + 30 * day,
  ],
  [
    'a machine that was off for a year has seen nothing',
    {},
    start + 365 * day,
    start + 395 * day - 1.5 * hour,
  ],
  [
    'a clock that was set back counts nothing',
    { servedMs: day, seenAt: start + day },
    start - 9 * day,
    start + 30 * day,
  ],
  [
    'never before the period is over on the wall',
    { servedMs: 29 * day, seenAt: start + hour },
    start + hour,
    start + 30 * day,
  ],
  ['what was carried over shortens it', { carriedMs: 10 * day }, start, start + 20 * day],
  ['though seven days are always left', { carriedMs: 29 * day }, start, start + 7 * day],
]
for (const [what, change, now, expected] of dates)
  test(`the date of deletion: ${what}`, () => {
    const instance = { removal: change && { ...removal, ...change }, purgedAt: null }
    assert.equal(purgeAt(instance, month, now), expected)
  })

test('the date of deletion: none without a retention period, nor of what is deleted', () => {
  assert.equal(purgeAt({ removal, purgedAt: null }, { keptMs: null }, start), null)
  assert.equal(purgeAt({ removal, purgedAt: start }, month, start), null)
  // A period below seven days is not made longer by what is always left.
  const short = { removal: { ...removal, carriedMs: day }, purgedAt: null }
  assert.equal(purgeAt(short, { keptMs: 2 * day }, start), start + 2 * day)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lateMs } from '../follow-up.ts'
import { missedLimit } from './due-slots.ts'
import { queueLimit, type SlotFacts, type SlotPolicy, verdictOn } from './verdict.ts'

const at = Date.parse('2026-03-10T08:00:00Z')
const hour = 3_600_000

const policyOf = (given: Partial<SlotPolicy> = {}): SlotPolicy => ({
  catchUp: 'latest',
  catchUpWindow: 24 * hour,
  overlap: 'skip',
  ...given,
})

const slotOf = (given: Partial<SlotFacts> = {}): SlotFacts => ({
  at,
  now: at + 100,
  laterDue: 0,
  leapMs: 0,
  fullSince: Number.POSITIVE_INFINITY,
  gap: null,
  catchingUp: false,
  madeRun: null,
  activeRun: null,
  activeRuns: 0,
  ...given,
})

const outcome = (policy: Partial<SlotPolicy>, slot: Partial<SlotFacts>) =>
  verdictOn(policyOf(policy), slotOf(slot)).outcome

test('a slot on time runs; one later than five seconds runs late and says so', () => {
  assert.deepEqual(verdictOn(policyOf(), slotOf()), {
    starts: true,
    outcome: 'ran',
    reason: null,
    replaces: false,
  })
  assert.equal(outcome({}, { now: at + lateMs }), 'ran')
  const late = verdictOn(policyOf(), slotOf({ now: at + 60_000 }))
  assert.deepEqual([late.outcome, late.reason], ['late', 'the run started 60 seconds late'])
})

test('catching up follows the policy of the job', () => {
  const late = { now: at + hour }
  assert.equal(outcome({ catchUp: 'none' }, late), 'missed')
  assert.equal(outcome({ catchUp: 'latest' }, late), 'late')
  assert.equal(outcome({ catchUp: 'latest' }, { ...late, laterDue: 1 }), 'missed')
  assert.equal(outcome({ catchUp: 'all' }, { ...late, laterDue: missedLimit - 1 }), 'late')
  assert.equal(outcome({ catchUp: 'all' }, { ...late, laterDue: missedLimit }), 'missed')
  assert.equal(outcome({ catchUp: 'all', catchUpWindow: hour - 1 }, late), 'missed')
})

test('while another run is active, the slot is skipped, waits or replaces that run', () => {
  const active = { activeRun: 'run_1', activeRuns: 1 }
  const skipped = verdictOn(policyOf(), slotOf(active))
  assert.deepEqual([skipped.outcome, skipped.reason], ['skipped', 'the run run_1 before it had not ended'])
  assert.equal(outcome({ overlap: 'queue' }, active), 'ran')
  assert.equal(outcome({ overlap: 'queue' }, { ...active, activeRuns: queueLimit }), 'skipped')
  const replaces = (given: Partial<SlotFacts>) => {
    const verdict = verdictOn(policyOf({ overlap: 'replace' }), slotOf(given))
    return verdict.starts && verdict.replaces
  }
  assert.deepEqual([replaces(active), replaces({})], [true, false])
})

test('a slot waits for earlier slots that are being caught up, whatever its overlap policy', () => {
  for (const overlap of ['skip', 'queue', 'replace'] as const) {
    for (const behind of [{ catchingUp: true }, { madeRun: 'run_2' }]) {
      const verdict = verdictOn(
        policyOf({ catchUp: 'all', overlap }),
        slotOf({ ...behind, activeRun: 'run_1', activeRuns: queueLimit }),
      )
      assert.deepEqual(
        [verdict.outcome, verdict.starts && verdict.replaces],
        ['ran', false],
        `${overlap} ${JSON.stringify(behind)}`,
      )
    }
  }
})

test('a missed slot gives the gap, the full disk, the clock or the downtime as its reason', () => {
  const reason = (given: Partial<SlotFacts>) =>
    verdictOn(policyOf({ catchUp: 'none' }), slotOf({ now: at + hour, ...given })).reason
  assert.match(reason({}) ?? '', /was not running$/)
  assert.match(reason({ fullSince: at }) ?? '', /disk was full/)
  assert.match(reason({ leapMs: hour }) ?? '', /clock jumped forward/)
  assert.match(reason({ gap: { from: at, to: at + hour } }) ?? '', /slots up to then are not listed/)
  assert.match(reason({ now: at + 100, laterDue: 1 }) ?? '', /was busy$/)
})

test('a slot without a run has a reason, and a slot with one follows the job’s policy', () => {
  fc.assert(
    fc.property(
      fc.record({
        catchUp: fc.constantFrom('none', 'latest', 'all'),
        catchUpWindow: fc.constantFrom(hour, 24 * hour),
        overlap: fc.constantFrom('skip', 'queue', 'replace'),
      }),
      fc.record({
        now: fc.integer({ min: at, max: at + 48 * hour }),
        laterDue: fc.integer({ min: 0, max: 2 * missedLimit }),
        leapMs: fc.constantFrom(0, hour),
        fullSince: fc.constantFrom(at, Number.POSITIVE_INFINITY),
        catchingUp: fc.boolean(),
        madeRun: fc.constantFrom(null, 'run_1'),
        activeRun: fc.constantFrom(null, 'run_2'),
        activeRuns: fc.integer({ min: 0, max: 2 * queueLimit }),
      }),
      (policy, given) => {
        const slot = slotOf(given)
        const verdict = verdictOn(policy, slot)
        if (!verdict.starts) assert.notEqual(verdict.reason, '')
        else {
          const lateBy = slot.now - at
          assert.equal(verdict.outcome, lateBy > lateMs ? 'late' : 'ran')
          assert.equal(verdict.reason === null, verdict.outcome === 'ran')
          assert.ok(lateBy <= (policy.catchUp === 'none' ? lateMs : policy.catchUpWindow))
          assert.ok(policy.catchUp === 'all' || slot.laterDue === 0, 'only `all` catches up more than one')
          if (verdict.replaces)
            assert.ok(policy.overlap === 'replace' && (slot.activeRun ?? slot.madeRun) !== null)
        }
      },
    ),
  )
})

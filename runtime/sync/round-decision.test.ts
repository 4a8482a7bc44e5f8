import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Plan } from '../git/merge/sync-protocol.ts'
import { missingBranchFault, nextSyncMs, sideFor, stepFor, tooManyRemoved } from './round-decision.ts'

const planOf = (given: Partial<Plan> = {}) => ({
  kind: 'behind' as const,
  ours: 'ours',
  target: 'theirs',
  adopts: false,
  ...given,
})

test('a conflict always waits for a person', () => {
  for (const kind of ['conflict', 'rewritten'] as const) {
    assert.deepEqual(stepFor(planOf({ kind }), 'theirs', {}), { conflict: true })
  }
})

test('a change of the remote is checked and taken, unless it was confirmed or replaces only starter files', () => {
  const taken = { conflict: false, take: true, push: false }
  assert.deepEqual(stepFor(planOf(), 'theirs', {}), { ...taken, check: true })
  assert.deepEqual(stepFor(planOf(), 'theirs', { confirm: 'theirs' }), { ...taken, check: false })
  assert.deepEqual(stepFor(planOf(), 'theirs', { confirm: 'older' }), { ...taken, check: true })
  assert.deepEqual(stepFor(planOf({ adopts: true }), 'theirs', {}), { ...taken, check: false })
})

test('the target is pushed unless the remote has it, and checked out unless it is checked out already', () => {
  const commit = fc.constantFrom('a', 'b', 'c')
  fc.assert(
    fc.property(commit, commit, fc.option(commit), (ours, target, head) => {
      const step = stepFor(planOf({ kind: 'merged', ours, target }), head, {})
      assert.ok(!step.conflict)
      assert.deepEqual([step.take, step.push], [target !== ours, target !== head])
      assert.ok(step.take || !step.check)
    }),
  )
})

test('a choice counts for the commit that was shown, also after a confirmation', () => {
  const pick = { side: 'ours' as const, theirs: 'c1' }
  const held = { ours: 'o', theirs: 'c1', removes: [], of: 0, pick: 'theirs' as const }
  assert.equal(sideFor({ pick }, 'c1', null), 'ours')
  assert.equal(sideFor({ pick }, 'c2', null), null)
  assert.equal(sideFor({ confirm: 'c1' }, 'c1', held), 'theirs')
  assert.equal(sideFor({}, 'c1', held), null, 'not confirmed')
  assert.equal(sideFor({ confirm: 'c2' }, 'c2', held), null, 'another commit was held back')
})

test('a change removes too many jobs if it removes more than half of them', () => {
  assert.equal(tooManyRemoved(['a', 'b'], ['a']), null)
  assert.deepEqual(tooManyRemoved(['a', 'b', 'c'], ['c', 'd']), { removes: ['a', 'b'], of: 3 })
  assert.equal(tooManyRemoved([], []), null)
})

test('a missing branch is acceptable only on an empty remote that was never synced', () => {
  assert.equal(missingBranchFault({ branch: 'main', last: null }, []), null)
  assert.match(
    missingBranchFault({ branch: 'main', last: null }, ['dev']) ?? '',
    /no branch main; it has dev/,
  )
  assert.match(missingBranchFault({ branch: 'main', last: 'c1' }, []) ?? '', /main is gone/)
})

test('syncs run every five minutes, and after failures sooner at first, then less and less often', () => {
  assert.deepEqual([0, 1, 2, 3, 99].map(nextSyncMs), [300_000, 30_000, 60_000, 120_000, 3_600_000])
})

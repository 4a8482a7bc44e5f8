import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JobSpec } from '../../manifest/manifest.ts'
import type { LiveSet } from './live-set.ts'
import {
  changedMeanwhile,
  dataCommitDue,
  dataCommitEveryMs,
  type LoadFacts,
  loadStep,
  needsConfirmation,
} from './load-decision.ts'
import { initialState, type LoadState, refused, upToDate, wentLive } from './load-state.ts'
import type { Tree } from './tree.ts'

const treeOf = (files: Record<string, string>): Tree => ({
  files: new Map(Object.entries(files)),
  folders: [],
  stamp: JSON.stringify(files),
})
const tree = treeOf({ 'manifest.ts': '1', 'data/sums.txt': '1' })
const liveOf = (given: Partial<LiveSet> = {}): LiveSet => ({
  build: 'b1',
  commit: 'c1',
  tree: `${tree.stamp} v1`,
  loadedAt: 0,
  jobs: new Map([['a', { id: 'a' } as JobSpec]]),
  ...given,
})
const factsOf = (given: Partial<LoadFacts> = {}): LoadFacts => ({
  again: false,
  tree,
  stamp: `${tree.stamp} v1`,
  live: liveOf(),
  hasBuild: () => true,
  packagesMissing: () => false,
  ...given,
})
const loaded = wentLive(initialState, tree, { inputs: ['manifest.ts'], difference: null })

test('unchanged files are not read again, unless a load is requested', () => {
  assert.equal(loadStep(loaded, factsOf()), 'nothing')
  assert.equal(loadStep(loaded, factsOf({ again: true })), 'read')
  const broken = refused(loaded, tree, [])
  assert.equal(loadStep(broken, factsOf({ live: liveOf({ commit: null }) })), 'nothing')
})

test('a change of data is committed, and a change of code is read', () => {
  const data = treeOf({ 'manifest.ts': '1', 'data/sums.txt': '2' })
  const code = treeOf({ 'manifest.ts': '2', 'data/sums.txt': '1' })
  assert.equal(loadStep(loaded, factsOf({ tree: data, stamp: 'other' })), 'commit-data')
  assert.equal(loadStep(loaded, factsOf({ tree: code, stamp: 'other' })), 'read')
  assert.equal(loadStep(refused(loaded, tree, []), factsOf({ tree: data, stamp: 'other' })), 'read')
  assert.equal(
    loadStep(loaded, factsOf({ live: liveOf({ commit: null }) })),
    'commit-data',
    'a commit is owed',
  )
})

test('after a restart the live set is kept only if it is complete', () => {
  const step = (given: Partial<LoadFacts>) => loadStep(initialState, factsOf(given))
  assert.equal(step({}), 'keep')
  assert.equal(step({ live: null }), 'read')
  assert.equal(step({ live: liveOf({ commit: null }) }), 'read')
  assert.equal(step({ stamp: `${tree.stamp} v2` }), 'read', 'another version of the program')
  assert.equal(step({ hasBuild: () => false }), 'read')
  assert.equal(step({ packagesMissing: () => true }), 'read')
})

test('only unchanged code that is live is skipped', () => {
  fc.assert(
    fc.property(
      fc.record({
        again: fc.boolean(),
        code: fc.constantFrom('1', '2'),
        data: fc.constantFrom('1', '2'),
        commit: fc.constantFrom(null, 'c1'),
      }),
      fc.constantFrom<LoadState>(
        initialState,
        loaded,
        upToDate(initialState, tree),
        refused(loaded, tree, []),
      ),
      ({ again, code, data, commit }, state) => {
        const now = treeOf({ 'manifest.ts': code, 'data/sums.txt': data })
        const facts = { again, tree: now, stamp: `${now.stamp} v1`, live: liveOf({ commit }) }
        const step = loadStep(state, factsOf(facts))
        if (again || code === '2') assert.equal(step, 'read')
        if (step === 'commit-data') assert.equal(state.status, 'ok')
      },
    ),
  )
})

test('a set without jobs waits for a confirmation, unless the previous one had none or it was confirmed', () => {
  const empty = { build: 'b2', jobs: [] }
  assert.equal(needsConfirmation(loaded, liveOf(), empty), true)
  assert.equal(needsConfirmation(loaded, liveOf({ jobs: new Map() }), empty), false)
  assert.equal(needsConfirmation(loaded, null, empty), false)
  assert.equal(needsConfirmation({ ...loaded, confirmed: 'b2' }, liveOf(), empty), false)
  assert.equal(needsConfirmation({ ...loaded, confirmed: 'b1' }, liveOf(), empty), true, 'another empty set')
})

test('data is committed once a minute, or at once when the live set has no commit', () => {
  assert.equal(dataCommitDue(liveOf(), dataCommitEveryMs - 1), false)
  assert.equal(dataCommitDue(liveOf(), dataCommitEveryMs), true)
  assert.equal(dataCommitDue(liveOf({ commit: null }), 0), true)
})

test('only a changed input of the build counts as changed meanwhile', () => {
  const inputs = ['manifest.ts']
  assert.equal(
    changedMeanwhile({ inputs }, tree, treeOf({ 'manifest.ts': '1', 'data/sums.txt': '9' })),
    false,
  )
  assert.equal(changedMeanwhile({ inputs }, tree, treeOf({ 'manifest.ts': '2', 'data/sums.txt': '1' })), true)
  assert.equal(changedMeanwhile({ inputs }, tree, treeOf({})), true)
})

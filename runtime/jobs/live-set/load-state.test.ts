import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as states from './load-state.ts'

const tree = { files: new Map(), folders: [], stamp: 't1' }
const difference = { added: 0, removed: 1, changed: 0, jobs: [] }
const packages = () => ({ nextTryAt: 99 })
const seen = (state: states.LoadState) => states.manifestState(state, null, packages)

test('before the first load the state is loading', () => {
  assert.deepEqual(seen(states.initialState), {
    status: 'loading',
    errors: [],
    waitingFor: null,
    nextTryAt: null,
    difference: null,
    lastChange: null,
    commit: null,
    loadedAt: null,
  })
})

test('a set that waits for a confirmation shows its difference until it is confirmed or the files change', () => {
  const held = states.heldBack(states.initialState, tree, { build: 'b2', difference, before: 3 })
  assert.deepEqual([seen(held).status, seen(held).waitingFor], ['error', 'confirmation'])
  assert.match(seen(held).errors[0]?.message ?? '', /no longer registers any jobs, where there were 3/)
  assert.equal(seen(held).difference, difference)
  assert.equal(states.confirmed(held).confirmed, 'b2')
  const changed = states.upToDate(held, tree)
  assert.deepEqual([seen(changed).difference, states.confirmed(changed).confirmed], [null, null])
})

test('a load says what it changed itself; the last change stays known', () => {
  const none = { added: 0, removed: 0, changed: 0, jobs: [] }
  const first = states.wentLive(states.initialState, tree, { inputs: [], difference })
  const second = states.wentLive(first, tree, { inputs: [], difference: none })
  assert.equal(seen(second).difference, difference, 'the same files, read again')
  const third = states.wentLive(first, { ...tree, stamp: 't2' }, { inputs: [], difference: none })
  assert.deepEqual([seen(third).difference, seen(third).lastChange], [null, difference])
  const refused = states.refused(first, tree, [])
  assert.deepEqual([seen(refused).difference, seen(refused).lastChange], [null, difference])
})

test('the time of the next retry is shown only while the registry fails', () => {
  const waiting = states.refused(states.initialState, tree, [], 'registry')
  assert.equal(seen(waiting).nextTryAt, 99)
  assert.equal(seen(states.refused(waiting, tree, [])).nextTryAt, null)
  assert.equal(seen(states.installing(waiting)).waitingFor, 'packages')
})

test('a failed load keeps the hash of the files it read, and ends the waiting', () => {
  const waiting = states.refused(states.initialState, tree, [], 'registry')
  const failed = states.failed(waiting, new Error('no memory'))
  assert.deepEqual([failed.seen, failed.waitingFor], [tree, null])
  assert.equal(seen(failed).errors[0]?.message, 'loading failed: no memory')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../../src/http/problem.ts'
import type { UpgradeSubject } from '../provisioner/contract.ts'
import { estimate, leftOut, planWaves } from './waves.ts'

const subject = (subdomain: string, more: Partial<UpgradeSubject> = {}): UpgradeSubject => ({
  ...{ id: `inst_${subdomain}`, subdomain, status: 'running', statusReason: null, wanted: 'running' },
  ...{ suspended: false, imageId: 'old', work: null, undoes: null, ...more },
})
const many = (n: number) =>
  Array.from({ length: n }, (_, index) => subject(`i${String(index).padStart(4, '0')}`))
const sizes = (waves: ReturnType<typeof planWaves>) => waves.map(({ instances }) => instances.length)
const order = { imageId: 'new', first: [] as string[] }

test('one instance, then 5 % of all, then all others', () => {
  assert.deepEqual(sizes(planWaves(many(1000), order)), [1, 50, 949])
  assert.deepEqual(sizes(planWaves(many(30), order)), [1, 2, 27])
  assert.deepEqual(sizes(planWaves(many(3), order)), [1, 1, 1])
  assert.deepEqual(sizes(planWaves(many(2), order)), [1, 1])
  assert.deepEqual(sizes(planWaves([], order)), [])
})

test('the chosen instances are the first wave; each instance is in one wave', () => {
  const waves = planWaves(many(100), { ...order, first: ['i0050', 'i0002', 'i0050'] })
  assert.deepEqual(
    waves[0]?.instances.map(({ subdomain }) => subdomain),
    ['i0050', 'i0002'],
  )
  assert.deepEqual(sizes(waves), [2, 5, 93])
  assert.equal(new Set(waves.flatMap(({ instances }) => instances.map(({ id }) => id))).size, 100)
})

test('what has the image, is removed or was never made needs no upgrade; what does not run comes last', () => {
  const waves = planWaves(
    [
      subject('a', { wanted: 'stopped', status: 'stopped' }),
      subject('b', { imageId: 'new' }),
      subject('c', { wanted: 'deleted' }),
      subject('d', { imageId: null }),
      subject('e'),
    ],
    order,
  )
  assert.deepEqual(
    waves.map(({ instances }) => instances.map(({ subdomain }) => subdomain)),
    [['e'], ['a']],
  )
})

test('a chosen name that is unknown or needs no upgrade is refused, by its place in the list', () => {
  const subjects = [subject('a'), subject('b', { imageId: 'new' })]
  assert.throws(
    () => planWaves(subjects, { ...order, first: ['a', 'b', 'nope'] }),
    (error: unknown) => {
      assert.ok(error instanceof Problem)
      assert.deepEqual(
        error.errors?.map(({ path }) => path),
        ['first.1', 'first.2'],
      )
      assert.match(error.errors?.[1]?.message ?? '', /none is called "nope"/)
      return true
    },
  )
})

test('the estimate counts the rounds of each wave and the pauses between them', () => {
  const waves = planWaves(many(30), order)
  assert.deepEqual(estimate(waves, { parallel: 2, soakMs: 60_000, typicalMs: 1000 }), {
    aboutMs: (1 + 1 + 14) * 1000 + 2 * 60_000,
    measured: true,
  })
  assert.equal(estimate(waves, { parallel: 2, soakMs: 0, typicalMs: null }).measured, false)
})

test('what is suspended or was unhealthy before would be left out, in words', () => {
  assert.equal(leftOut(subject('a')), null)
  assert.match(leftOut(subject('a', { suspended: true })) ?? '', /suspended/)
  assert.match(leftOut(subject('a', { status: 'unhealthy', statusReason: 'disk full' })) ?? '', /disk full/)
})

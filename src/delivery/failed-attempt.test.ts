import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeliveryError } from './delivery-error.ts'
import { afterFailure } from './failed-attempt.ts'

test('delays grow from half a minute to hours, then the delivery is given up', () => {
  const pauses: number[] = []
  for (let attempts = 1; ; attempts++) {
    const next = afterFailure(new Error('no'), attempts, 1000)
    if (next.status === 'failed') {
      assert.equal(next.finishedAt, 1000)
      break
    }
    pauses.push(next.nextAt - 1000)
  }
  assert.equal(pauses[0], 30_000)
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  )
  assert.ok((pauses.at(-1) ?? 0) >= 3_600_000)
})

test('a permanent error is given up at once, and every error has a readable reason', () => {
  const refused = new DeliveryError('no such mailbox', { permanent: true })
  assert.deepEqual(afterFailure(refused, 1, 5), { status: 'failed', error: 'no such mailbox', finishedAt: 5 })
  const busy = new DeliveryError('try later', { permanent: false })
  assert.equal(afterFailure(busy, 1, 5).status, 'queued')
  assert.equal(afterFailure(new Error('x'.repeat(9000)), 1, 5).error.length, 500)
  assert.equal(afterFailure('a word', 1, 5).error, 'a word')
})

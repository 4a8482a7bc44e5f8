import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthObservation } from '../provisioner/contract.ts'
import { health, instanceServer } from './instances.fixture.ts'
import { probe } from './probe.ts'

const at = 1_700_000_000_000
const patient = 30_000
const reasonOf = (seen: HealthObservation) => (seen.healthy ? null : seen.reason)

test('an instance that answers 200 under its own id is healthy', async t => {
  const instance = await instanceServer(t, health(200, { status: 'ok' }))
  assert.deepEqual(await probe(instance, patient, () => at), { healthy: true, at })
  const [request] = instance.requests
  assert.equal(request?.url, '/api/health')
  // An instance answers 421 to a request that is meant for another one.
  assert.equal(request?.headers['longhouse-instance'], 'inst_1')
})

test('another instance at the address is never taken for this one', async t => {
  const instance = await instanceServer(t, health(200, { status: 'ok' }, { as: 'inst_2' }))
  const other = { healthy: false, at, answers: false, reason: 'another instance answers at its address' }
  assert.deepEqual(await probe(instance, patient, () => at), { ...other, starting: false })
  instance.answer = health(421, {}, { as: 'inst_1' })
  assert.deepEqual(await probe(instance, patient, () => at), { ...other, starting: false })
  instance.answer = health(503, { checks: { disk: 'failing' } }, { as: 'inst_2' })
  const seen = await probe(instance, patient, () => at)
  assert.equal(!seen.healthy && seen.answers, false)
})

test('an instance whose checks fail answers all the same, and the reason names them', async t => {
  const checks = { disk: 'only 3 MB are free', queue: 'failing', database: 'ok', manifest: 'failing' }
  const instance = await instanceServer(t, health(503, { status: 'failing', checks }))
  assert.deepEqual(await probe(instance, patient, () => at), {
    ...{ healthy: false, at, answers: true, starting: false },
    reason: 'it answers, and its checks fail: disk: only 3 MB are free; queue',
  })
})

test('an instance that is starting says so', async t => {
  const instance = await instanceServer(t, health(503, { status: 'starting', checks: { boot: 'failing' } }))
  const seen = await probe(instance, patient, () => at)
  assert.ok(!seen.healthy && seen.starting && seen.answers)
})

test('a broken manifest alone is no failing check', async t => {
  const instance = await instanceServer(t, health(503, { checks: { manifest: 'failing' } }))
  assert.match(reasonOf(await probe(instance, patient, () => at)) ?? '', /^it answered 503: \{"instance_id"/)
})

for (const checks of [null, 'all of them', []])
  test(`checks that are ${JSON.stringify(checks)} do not hide the status`, async t => {
    const instance = await instanceServer(t, health(500, { checks }))
    assert.match(reasonOf(await probe(instance, patient, () => at)) ?? '', /^it answered 500: /)
  })

test('what is no health document is described by its status', async t => {
  const instance = await instanceServer(t, (_, response) => response.end('<h1>Welcome to nginx!</h1>'))
  const words = 'it answered 200 with something that is not a health document'
  assert.equal(reasonOf(await probe(instance, patient, () => at)), words)
})

test('a long answer is cut off, and long reasons are shortened', async t => {
  const instance = await instanceServer(t, (_, response) => response.end('x'.repeat(70_000)))
  const tooLong = await probe(instance, patient, () => at)
  assert.equal(reasonOf(tooLong), 'it answered more than a health check may')
  instance.answer = health(503, { checks: { disk: 'y'.repeat(2000) } })
  assert.equal(reasonOf(await probe(instance, patient, () => at))?.length, 500)
})

test('an instance that does not listen, breaks off or hangs is distinguished by its error', async t => {
  const gone = await instanceServer(t, health(200))
  await gone.close()
  assert.equal(reasonOf(await probe(gone, patient, () => at)), 'it refused the connection')

  const breaking = await instanceServer(t, (_, response) => response.socket?.destroy())
  assert.equal(reasonOf(await probe(breaking, patient, () => at)), 'it could not be reached (ECONNRESET)')

  const halfway = await instanceServer(t, (_, response) => {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('{')
    setImmediate(() => response.socket?.destroy())
  })
  assert.match(reasonOf(await probe(halfway, patient, () => at)) ?? '', /^the answer broke off: /)

  const silent = await instanceServer(t, () => {})
  const seen = await probe(silent, 20, () => at)
  assert.deepEqual(seen, {
    ...{ healthy: false, at, answers: false },
    reason: 'it did not answer within 20 ms',
  })
})

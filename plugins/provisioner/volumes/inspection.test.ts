import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { testFleet } from '../fleet.fixture.ts'
import { lookWithinMs, patientLook } from './inspection.ts'

/** A clock whose long waits end when the test says so. */
function steppedClock() {
  const waiting = new Set<() => void>()
  const sleep: Clock['sleep'] = (ms, signal) =>
    ms === lookWithinMs
      ? new Promise(resolve => {
          waiting.add(resolve)
          signal?.addEventListener('abort', () => resolve(), { once: true })
        })
      : systemClock.sleep(ms, signal)
  return { clock: { ...systemClock, sleep }, pass: () => waiting.forEach(wake => void wake()) }
}

test('a look that hangs times out; while it hangs, its volume is not looked at again, and other volumes are', async () => {
  const { clock, pass } = steppedClock()
  const release = new Map<string, () => void>()
  let asked = 0
  const look = patientLook(async path => {
    asked++
    if (path.startsWith('/hangs')) await new Promise<void>(resolve => release.set(path, resolve))
    return { kind: 'absent' }
  }, clock)
  const first = assert.rejects(
    look('/hangs/a'),
    /the disk of the volume \/hangs\/a gave no answer within 5 s/,
  )
  pass()
  await first
  await assert.rejects(look('/hangs/a'), /is still not answering/)
  assert.equal((await look('/well')).kind, 'absent')
  const second = assert.rejects(look('/hangs/b'), /gave no answer/)
  pass()
  await second
  assert.equal(asked, 3)
  await assert.rejects(
    look('/hangs/c'),
    /was not asked: those of \/hangs\/a and \/hangs\/b are not answering/,
  )
  assert.equal(asked, 3)
  release.get('/hangs/a')?.()
  await eventually('it is asked again', async () => (await look('/well')).kind === 'absent')
})

test('looks that begin together block two threads at most, and each deadline begins with its look', async () => {
  const { clock, pass } = steppedClock()
  const release = new Map<string, () => void>()
  const asked: string[] = []
  const look = patientLook(async path => {
    asked.push(path)
    if (path.startsWith('/hangs')) await new Promise<void>(resolve => release.set(path, resolve))
    return { kind: 'absent' }
  }, clock)
  const said = (path: string) =>
    look(path).then(
      () => 'seen',
      (error: Error) => error.message,
    )
  const [a, b, c, well] = ['/hangs/a', '/hangs/b', '/hangs/c', '/well'].map(said)
  assert.deepEqual(asked, ['/hangs/a', '/hangs/b'])
  release.get('/hangs/b')?.()
  assert.equal(await b, 'seen')
  await eventually('the next is asked', async () => asked.includes('/hangs/c'))
  release.get('/hangs/c')?.()
  assert.deepEqual([await c, await well], ['seen', 'seen'])
  const [d, e] = ['/hangs/d', '/hangs/e'].map(said)
  assert.deepEqual(asked.slice(-2), ['/well', '/hangs/d'])
  pass()
  assert.match((await a) ?? '', /gave no answer within 5 s/)
  assert.match((await d) ?? '', /gave no answer within 5 s/)
  assert.match((await e) ?? '', /was not asked: those of .hangs.a and .hangs.d/)
  release.get('/hangs/a')?.()
  await eventually('it goes on', async () => (await said('/well')) === 'seen')
})

test('a disk that hangs blocks neither the control plane nor other instances, and is reported in words', async t => {
  const { clock, pass } = steppedClock()
  let hangs = false
  const [held, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const fleet = await testFleet(t, {
    look: real =>
      patientLook(async path => {
        const hung = hangs && path.endsWith('/acme')
        if (hung) await held.promise
        const sight = await real(path)
        if (hung) over.resolve()
        return sight
      }, clock),
  })
  await fleet.provision('acme')
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  hangs = true
  const starting = fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal((await fleet.provision('other')).body.status, 'running')
  assert.equal((await fleet.visit('other')).status, 200)
  const ticking = setInterval(pass, 20)
  t.after(() => clearInterval(ticking))
  const failed = await starting
  assert.match(
    failed.body.status_reason ?? '',
    new RegExp(`the disk of the volume ${join(fleet.root, 'acme')} (gave no answer|is still not answering)`),
  )
  clearInterval(ticking)
  hangs = false
  held.resolve()
  await over.promise
  const started = await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal(started.body.status, 'running', started.body.status_reason ?? '')
})

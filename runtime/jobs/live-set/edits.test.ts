import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { systemClock } from '../../../src/clock.ts'
import { oneJob, startInstance } from '../../engine.fixture.ts'

const by = { name: 'ann', email: 'ann@example.test' }
const good = (n: number) => `${oneJob('async () => {}')}// ${n}\n`
const broken = (n: number) => `${good(n)}nope()\n`
test('a save that finishes late leaves the next save, which does not load, its message', async t => {
  let onLive = () => {}
  const log = pino({}, { write: line => void (line.includes('manifest live') && onLive()) })
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': good(0) }, log })
  const saved = Promise.withResolvers<unknown>()
  onLive = () => {
    onLive = () => {}
    const second = engine.edit({ message: 'Reasons', by }, () => write('manifest.ts', broken(1)))
    saved.resolve(second)
  }
  assert.equal(engine.changing(), false)
  const first = engine.edit({ message: '', by }, () => write('manifest.ts', good(1)))
  assert.equal(engine.changing(), true)
  await Promise.all([first, saved.promise])
  assert.equal(engine.changing(), false)
  assert.equal(engine.manifest().status, 'error')
  assert.equal(engine.waitingMessage(), 'Reasons')
  await engine.edit({ message: '', by }, () => write('manifest.ts', good(2)))
  assert.equal(engine.waitingMessage(), '')
  assert.match((await engine.repo()).head?.message ?? '', /^Reasons/)
})

test('a commit of data contains neither code saved meanwhile nor its message', async t => {
  let passed = 0
  let countdown = 0
  let meanwhile = () => {}
  // The engine reads its clock as it goes: a save comes at the first or second of these moments.
  const monotonic = () => {
    if (countdown > 0 && --countdown === 0) meanwhile()
    return systemClock.monotonic() + passed
  }
  const clock = { ...systemClock, monotonic }
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': good(0) }, clock })
  for (const n of [1, 2]) {
    passed += 120_000
    write('data.txt', `${n}`)
    const saved = Promise.withResolvers<unknown>()
    meanwhile = () => {
      const save = engine.edit({ message: `Reasons ${n}`, by }, () => write('manifest.ts', broken(n)))
      saved.resolve(save)
    }
    countdown = n
    await engine.initRepo()
    if (countdown > 0) meanwhile()
    countdown = 0
    await saved.promise
    assert.equal(engine.manifest().status, 'error')
    assert.equal(engine.waitingMessage(), `Reasons ${n}`)
    await engine.edit({ message: '', by }, () => write('manifest.ts', good(n)))
    assert.match((await engine.repo()).head?.message ?? '', new RegExp(`^Reasons ${n}`))
  }
})

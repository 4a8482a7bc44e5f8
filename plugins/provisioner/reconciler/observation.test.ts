import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { systemClock } from '../../../src/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { testFleet } from '../fleet.fixture.ts'

test('the time of the last successful health check is recorded although the clock was set back', async t => {
  let offset = 0
  const fleet = await testFleet(t, { clock: { ...systemClock, now: () => Date.now() + offset } })
  await fleet.provision('acme')
  const sqlite = new Database(join(fleet.root, '.control', 'longhouse.db'), { readonly: true })
  t.after(() => sqlite.close())
  const kept = () =>
    sqlite.prepare<[], { at: number }>('select last_health_at as at from provisioner_instances').get()?.at ??
    0
  await eventually('it is kept', () => kept() > 0)
  const before = kept()
  offset = -2 * 3_600_000
  await eventually('it is kept by the clock of now', () => kept() < before - 3_600_000)
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.status, 'running')
})

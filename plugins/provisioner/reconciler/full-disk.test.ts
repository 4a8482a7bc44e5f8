import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { ask } from '../../../src/testing/ask.ts'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import type { Driver } from '../driver.ts'
import { testFleet } from '../fleet.fixture.ts'

const hour = 3_600_000

test('on a full disk nothing is lost or purged, pages say so, and work resumes by itself', async t => {
  const disk = smallDisk(t, { mebibytes: 8 })
  if (!disk) return
  const clock = setClock()
  let atWork = () => {}
  const mayGoOn = new Promise<void>(resolve => {
    atWork = resolve
  })
  let waits = false
  const driver = (real: Driver): Driver => ({
    ...real,
    create: async spec => {
      if (spec.subdomain === 'late') {
        waits = true
        await mayGoOn
      }
      await real.create(spec)
    },
  })
  const fleet = await testFleet(t, { root: disk.dir, clock, driver, env: { RETENTION_DAYS: '1' } })
  await fleet.provision('acme')
  await fleet.provision('kept')
  const precious = join(disk.dir, 'kept', 'precious')
  writeFileSync(precious, 'data')
  await fleet.admin('DELETE', '/admin/instances/kept', { wait: 60 })
  const body = { subdomain: 'late', owner_email: 'ada@example.com' }
  assert.equal((await fleet.admin('POST', '/admin/instances', { body })).status, 202)
  await eventually('its container is being made', () => waits)
  const health = () => ask({ port: fleet.port, host: 'control.localhost', path: '/health' })
  const page = { Accept: 'text/html' }

  disk.fill()
  // The operation in progress can no longer be recorded; it must not be tried without end.
  atWork()
  for (let hours = 0; hours < 30; hours++) {
    clock.advance(hour)
    await fleet.program.runOnce('provisioner:retention').catch(() => {})
    await fleet.program.runOnce('provisioner:reconcile').catch(() => {})
  }
  assert.deepEqual([(await health()).status, existsSync(precious)], [503, true])
  const list = await fleet.admin('GET', '/admin/instances', { headers: page })
  assert.deepEqual([list.status, /The disk is full/.test(String(list.body))], [200, true])
  for (const [method, path] of [
    ['POST', '/admin/instances/acme/stop'],
    ['POST', '/admin/instances/kept/restore'],
    ['DELETE', '/admin/instances/kept?purge=true'],
  ] as const) {
    const refused = await fleet.admin<{ detail: string }>(method, path, method === 'POST' ? { body: {} } : {})
    assert.deepEqual([refused.status, /Nothing was changed/.test(refused.body.detail)], [507, true], path)
  }
  assert.equal((await fleet.visit('acme')).status, 200)

  disk.free()
  assert.equal((await health()).status, 200)
  await eventually('what was under way is done', async () => {
    await fleet.program.runOnce('provisioner:reconcile')
    return (await fleet.admin('GET', '/admin/instances/late')).body.status === 'running'
  })
  const back = await fleet.admin('POST', '/admin/instances/kept/restore', { wait: 60 })
  assert.deepEqual([back.body.status, existsSync(precious)], ['running', true])
  const quiet = await fleet.admin('GET', '/admin/instances', { headers: page })
  assert.doesNotMatch(String(quiet.body), /The disk is full/)
})

test('the control plane starts on a full disk, and its instances start once there is room', async t => {
  const disk = smallDisk(t, { mebibytes: 8 })
  if (!disk) return
  const first = await testFleet(t, { root: disk.dir })
  await first.provision('acme')
  await first.program.stop()
  // As a kill leaves it: the record says where an instance of the last life listened.
  const sqlite = new Database(join(disk.dir, '.control', 'longhouse.db'))
  sqlite.exec("update provisioner_instances set host = '127.0.0.1', port = 9, answers = true")
  sqlite.close()

  const second = await testFleet(t, {
    root: disk.dir,
    driver: real => {
      disk.fill()
      return real
    },
  })
  assert.equal((await second.admin('GET', '/admin/instances/acme')).status, 200)
  assert.equal((await second.visit('acme')).status, 503)
  disk.free()
  await eventually('it runs', async () => {
    await second.program.runOnce('provisioner:reconcile')
    return (await second.visit('acme')).status === 200
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { ask } from '../../src/testing/ask.ts'
import { setClock } from '../../src/testing/clock.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet, token } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

const hour = 3_600_000

test('an archive that does not work is no fault of the copies of an instance, and delays none', {
  skip: noRestic,
}, async t => {
  const clock = setClock()
  const failures: string[] = []
  const listener = definePlugin({
    name: 'listener',
    needs: ['backup'],
    config: z.object({}),
    setup: () => ({
      on: {
        'copy-failed': ({ why }) => {
          failures.push(why)
        },
      },
    }),
  })
  const env = { BACKUP_EVERY: '24h', BACKUP_PROVE_EVERY: '24h' }
  const fleet = await testFleet(t, { plugins: [backup, listener], env, clock })
  await fleet.provision('acme')
  clock.advance(2 * hour)
  const bytes = gzipSync('no archive')
  for (const body of [bytes, bytes.subarray(0, bytes.length / 2)]) {
    const refused = await ask({
      ...{ port: fleet.port, host: 'control.localhost', method: 'POST' },
      path: '/admin/instances/acme/backups',
      headers: { Authorization: `Bearer ${token}` },
      body,
    })
    assert.equal(refused.status, 400, refused.text)
  }
  assert.deepEqual(failures, [])

  await fleet.program.runOnce('backup:copy')
  const { backups } = (await fleet.admin<{ backups: WireBackup[] }>('GET', '/admin/instances/acme/backups'))
    .body
  assert.deepEqual(
    backups.map(({ reason }) => reason),
    ['schedule'],
  )
  const page = await fleet.admin('GET', '/admin/instances', { headers: { Accept: 'text/html' } })
  assert.doesNotMatch(String(page.body), /needs attention/)
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { ask } from '../../../src/testing/ask.ts'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { testFleet, token } from '../../provisioner/fleet.fixture.ts'
import { tokens } from '../../tokens/index.ts'
import { backup } from '../index.ts'
import type { WireBackup } from '../wire.ts'

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

test('an archive counts only if the token that sends it still holds when it has arrived', {
  skip: noRestic,
}, async t => {
  const env = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }
  const fleet = await testFleet(t, { plugins: [backup, tokens], env })
  await fleet.provision('acme')
  const path = '/admin/instances/acme/backups'
  const made = await fleet.admin<{ id: string; secret: string }>('POST', '/admin/tokens', {
    body: { name: 'uploads', role: 'operate' },
  })
  const page = async () =>
    String((await fleet.admin('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })).body)
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port: fleet.port, method: 'POST', path },
        headers: { Host: `control.localhost:${fleet.port}`, Authorization: `Bearer ${made.body.secret}` },
      },
      async answer =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(await answer.toArray()).toString() }),
    )
    asked.on('error', reject)
    const archive = gzipSync(randomBytes(200_000))
    asked.write(archive.subarray(0, 100_000))
    eventually('it arrives', async () => (await page()).includes('the upload was interrupted'))
      .then(() => fleet.admin('DELETE', `/admin/tokens/${made.body.id}`))
      .then(() => asked.end(archive.subarray(100_000)), reject)
  })
  const { status, text } = await answered
  assert.equal(status, 401, text)
  assert.match(text, /neither the admin token nor an API token that is valid/)
  assert.doesNotMatch(await page(), /the upload was interrupted/)
})

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { noRestic } from '../../src/testing/restic.ts'
import { openTown } from '../owners/owners.fixture.ts'
import { token } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

/** One request with bytes in both directions. */
function exchange(
  port: number,
  {
    method = 'GET',
    path,
    headers = {},
    body,
  }: { method?: string; path: string; headers?: Record<string, string>; body?: Buffer },
): Promise<{ status: number; body: Buffer; type: string | undefined }> {
  return new Promise((resolve, reject) => {
    const host = `control.localhost:${port}`
    const asked = request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { Host: host, ...headers } },
      async answer => {
        const bytes = Buffer.concat(await answer.toArray())
        resolve({ status: answer.statusCode ?? 0, body: bytes, type: answer.headers['content-type'] })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

test('an owner takes everything along as one archive, and the operator brings it in elsewhere', {
  skip: noRestic,
}, async t => {
  const town = await openTown(t, {
    plugins: [backup],
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' },
  })
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  const file = (name: string) => join(town.root, 'acme', name)
  writeFileSync(file('precious'), 'ada’s data')
  writeFileSync(file('secret.key'), 'opens the secrets')
  const path = '/instances/acme/archive'
  const cookieOf = ({ cookies }: typeof ada) => [...cookies].map(pair => pair.join('=')).join('; ')

  const eve = await town.owner('eve')
  assert.equal((await exchange(town.port, { path, headers: { Cookie: cookieOf(eve) } })).status, 404)
  assert.equal((await exchange(town.port, { path })).status, 401)
  const {
    status,
    body: archive,
    type,
  } = await exchange(town.port, { path, headers: { Cookie: cookieOf(ada) } })
  assert.deepEqual([status, type], [200, 'application/gzip'])
  const names = gunzipSync(archive).toString('latin1')
  assert.ok(names.includes('precious') && names.includes('.longhouse-copy.json'))
  assert.ok(!names.includes('secret.key'), 'the key stays')

  await town.provision('elsewhere')
  const bearer = { Authorization: `Bearer ${token}` }
  const upload = (body: Buffer) =>
    exchange(town.port, { method: 'POST', path: '/admin/instances/elsewhere/backups', headers: bearer, body })
  for (const broken of [archive.subarray(0, archive.length / 2), Buffer.from('no archive')]) {
    const refused = await upload(broken)
    assert.equal(refused.status, 400, refused.body.toString())
    assert.match(refused.body.toString(), /Nothing was changed/)
  }
  const list = async () =>
    (await town.admin<{ backups: WireBackup[] }>('GET', '/admin/instances/elsewhere/backups')).body.backups
  assert.deepEqual(await list(), [])
  const taken = await upload(archive)
  assert.equal(taken.status, 201, taken.body.toString())
  const [copy] = await list()
  assert.equal(copy?.reason, 'upload')
  const restored = await town.admin('POST', '/admin/instances/elsewhere/restore', {
    body: { backup: copy?.id },
    wait: 100,
  })
  assert.equal(restored.body.operation?.status, 'succeeded', JSON.stringify(restored.body.operation))
  assert.equal(readFileSync(join(town.root, 'elsewhere/precious'), 'utf8'), 'ada’s data')
})

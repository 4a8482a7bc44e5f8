import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { eventually } from '../../../src/testing/eventually.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { openTown } from '../../owners/owners.fixture.ts'
import { token } from '../../provisioner/fleet.fixture.ts'
import { backup } from '../index.ts'
import type { WireBackup } from '../wire.ts'
import { exchange, ownerOfAcme } from './archive.fixture.ts'

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

test('an owner brings an archive back into their own instance, and what was there is copied first', {
  skip: noRestic,
}, async t => {
  const env = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms', BACKUP_UPLOAD_LIMIT: '1m' }
  const town = await openTown(t, { plugins: [backup], env })
  const [ada, eve] = [await town.owner('ada'), await town.owner('eve')]
  for (const [owner, name] of [
    [ada, 'acme'],
    [eve, 'evening'],
  ] as const) {
    await owner.call('POST', '/instances', { subdomain: name })
    await town.reaches(owner, name, 'running')
  }
  const cookie = ({ cookies }: typeof ada) => [...cookies].map(pair => pair.join('=')).join('; ')
  const send = (owner: typeof ada, path: string, body?: Buffer, headers: Record<string, string> = {}) =>
    exchange(town.port, {
      method: body ? 'POST' : 'GET',
      path,
      headers: { Cookie: cookie(owner), Origin: `http://control.localhost:${town.port}`, ...headers },
      ...(body && { body }),
    })
  const path = '/instances/acme/archive'
  const file = (name: string) => join(town.root, 'acme', name)
  writeFileSync(file('precious'), 'in the archive')
  const archive = (await send(ada, path)).body
  const foreign = (await send(eve, '/instances/evening/archive')).body
  writeFileSync(file('precious'), 'of now')

  // A stranger has no such instance; and what is no archive, or too large, or another's, changes nothing.
  assert.equal((await send(eve, path, archive)).status, 404)
  assert.equal((await exchange(town.port, { method: 'POST', path, body: archive })).status, 401)
  const refused = [
    [archive.subarray(0, archive.length / 2), 400, /could not be read/],
    [gzipSync('no archive'), 400, /does not work/],
    [gzipSync(randomBytes(2 * 1024 ** 2)), 413, /the archive has more than 1 MiB/],
    [foreign, 422, /must be true to bring in an archive of another instance/],
  ] as const
  for (const [body, status, words] of refused) {
    const answer = await send(ada, path, body)
    assert.equal(answer.status, status, answer.body.toString())
    assert.match(answer.body.toString(), words)
    assert.ok(!answer.body.toString().includes(town.root), `it names no place: ${answer.body}`)
  }
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of now')

  // As a browser sends it.
  const boundary = 'a-boundary'
  const part = (head: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`
  const form = Buffer.concat([
    Buffer.from(part('name="archive"; filename="acme.tar.gz"')),
    archive,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}`, Accept: 'text/html' }
  const sent = await send(ada, path, form, headers)
  assert.equal(sent.status, 303, sent.body.toString())
  await eventually('it is restored', async () => {
    const { operation } = (await town.admin('GET', '/admin/instances/acme')).body
    assert.notEqual(operation?.status, 'failed', operation?.error ?? '')
    return operation?.kind === 'restore' && operation.status === 'succeeded'
  })
  assert.equal(readFileSync(file('precious'), 'utf8'), 'in the archive')
  const list = await town.admin<{ backups: WireBackup[] }>('GET', '/admin/instances/acme/backups')
  assert.deepEqual(
    list.body.backups.map(({ reason }) => reason),
    ['restore', 'upload'],
  )
  const once = await send(ada, path, archive)
  assert.deepEqual([once.status, /within a day/.test(once.body.toString())], [429, true])
})

test('archives that are sent at once count each, and one that does not say whose it is counts as foreign', {
  skip: noRestic,
}, async t => {
  const env = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }
  const town = await openTown(t, { plugins: [backup], env })
  const { headers, path } = await ownerOfAcme(town)
  const send = (body: Buffer) => exchange(town.port, { method: 'POST', path, headers, body })
  const archive = (await exchange(town.port, { path, headers })).body
  const { status, body } = await send(unmarked(archive))
  assert.equal(status, 422, body.toString())
  assert.match(body.toString(), /an archive that does not say of which instance it is/)

  const answers = await Promise.all(Array.from({ length: 7 }, () => send(Buffer.from('no archive'))))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [400, 400, 400, 400, 429, 429, 429])
})

/** The archive of a volume without a mark. */
function unmarked(archive: Buffer): Buffer {
  const text = gunzipSync(archive).toString('latin1')
  const without = text.replace(/"instanceId":"[^"]*"/, found => '"instanceId":null'.padEnd(found.length))
  assert.notEqual(without, text)
  return gzipSync(Buffer.from(without, 'latin1'))
}

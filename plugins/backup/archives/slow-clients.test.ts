import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { testFleet, token } from '../../provisioner/fleet.fixture.ts'
import { backup } from '../index.ts'
import type { WireBackup } from '../wire.ts'
import { exchange } from './archive.fixture.ts'

const hour = 3_600_000
const quiet = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }
const bearer = { Authorization: `Bearer ${token}` }

type Fleet = Awaited<ReturnType<typeof testFleet>>

const copy = (fleet: Fleet, name: string, wait = 60) =>
  fleet.admin<WireBackup>('POST', `/admin/instances/${name}/backup`, { wait })
const download = (fleet: Fleet, name: string) =>
  exchange(fleet.port, { path: `/admin/instances/${name}/archive`, headers: bearer })
const upload = (fleet: Fleet, name: string, body: Buffer) =>
  exchange(fleet.port, { method: 'POST', path: `/admin/instances/${name}/backups`, headers: bearer, body })

/** A request that the test writes, or whose answer it reads, as slowly as it likes. */
function open(t: TestContext, fleet: Fleet, method: string, path: string) {
  const host = `control.localhost:${fleet.port}`
  const asked = request({
    ...{ host: '127.0.0.1', port: fleet.port, method, path, agent: false },
    headers: { Host: host, ...bearer },
  })
  asked.on('error', () => {})
  t.after(() => asked.destroy())
  const answered = new Promise<IncomingMessage>(resolve => asked.once('response', resolve))
  return { asked, answered }
}

test('an archive that arrives slowly holds up neither the deletion of outdated copies nor new ones', {
  skip: noRestic,
}, async t => {
  const clock = setClock()
  const env = { ...quiet, BACKUP_KEEP_FOR: '1h', BACKUP_KEEP_LAST: '1' }
  const fleet = await testFleet(t, { plugins: [backup], env, clock })
  for (const name of ['acme', 'other']) await fleet.provision(name)
  const archive = (await download(fleet, 'acme')).body
  for (let made = 0; made < 2; made++) {
    assert.equal((await copy(fleet, 'other')).status, 201)
    clock.advance(2 * hour)
  }
  const { asked, answered } = open(t, fleet, 'POST', '/admin/instances/acme/backups')
  asked.write(archive.subarray(0, archive.length - 20))
  await eventually('it arrives', async () => {
    const page = await fleet.admin('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })
    return String(page.body).includes('the upload was interrupted')
  })
  const forgetting = fleet.program.runOnce('backup:forget')
  const made = await copy(fleet, 'other', 20)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  await forgetting
  asked.end(archive.subarray(archive.length - 20))
  assert.equal((await answered).statusCode, 201)
})

test('an archive that is fetched slowly does not hold up the copies of its instance, and arrives whole', {
  skip: noRestic,
}, async t => {
  const fleet = await testFleet(t, { plugins: [backup], env: quiet })
  await fleet.provision('acme')
  const large = randomBytes(40 * 1024 ** 2)
  writeFileSync(join(fleet.root, 'acme', 'large'), large)
  const { asked, answered } = open(t, fleet, 'GET', '/admin/instances/acme/archive')
  asked.end()
  const answer = await answered
  assert.equal(answer.statusCode, 200)
  const made = await copy(fleet, 'acme', 40)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const archive = gunzipSync(Buffer.concat(await answer.toArray()))
  assert.ok(archive.includes(large))
  assert.ok(archive.includes('.longhouse-copy.json'))
})

test('an archive is kept although the store is locked by another program at first', {
  skip: noRestic,
}, async t => {
  const place = temporaryFolder(t)
  const [locked, path] = [join(place, 'locked'), process.env.PATH ?? '']
  const restic = path.split(delimiter).find(folder => existsSync(join(folder, 'restic'))) ?? ''
  mkdirSync(join(place, 'bin'))
  // Takes what it gets, as restic does that waits for its lock.
  writeFileSync(
    join(place, 'bin/restic'),
    `#!/bin/sh
     if [ "$1" = backup ] && [ -e '${locked}' ]; then
       rm '${locked}'
       head -c 1000 > /dev/null
       echo 'unable to create lock in backend: repository is already locked by PID 1' >&2
       exit 1
     fi
     exec '${join(restic, 'restic')}' "$@"\n`,
  )
  chmodSync(join(place, 'bin/restic'), 0o755)
  process.env.PATH = `${join(place, 'bin')}${delimiter}${path}`
  t.after(() => {
    process.env.PATH = path
  })
  const fleet = await testFleet(t, { plugins: [backup], env: quiet })
  await fleet.provision('acme')
  writeFileSync(join(fleet.root, 'acme', 'data'), randomBytes(3 * 1024 ** 2))
  const archive = (await download(fleet, 'acme')).body
  writeFileSync(locked, '')
  const { status, body } = await upload(fleet, 'acme', archive)
  assert.equal(status, 201, body.toString())
  assert.ok(!existsSync(locked), 'it was locked')
})

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
import { openTown } from '../../owners/owners.fixture.ts'
import { testFleet, token } from '../../provisioner/fleet.fixture.ts'
import { backup } from '../index.ts'
import type { WireBackup } from '../wire.ts'
import { exchange, ownerOfAcme } from './archive.fixture.ts'

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
function open(
  t: TestContext,
  { port }: { port: number },
  method: string,
  path: string,
  headers: Record<string, string> = bearer,
) {
  const asked = request({
    ...{ host: '127.0.0.1', port, method, path, agent: false },
    headers: { Host: `control.localhost:${port}`, ...headers },
  })
  asked.on('error', () => {})
  t.after(() => asked.destroy())
  const answered = new Promise<IncomingMessage>(resolve => asked.once('response', resolve))
  return { asked, answered }
}

/** Has the control plane find a restic that runs `script` first, in which `$1` is the command. */
function substituteRestic(t: TestContext, place: string, script: string): void {
  const path = process.env.PATH ?? ''
  const restic = path.split(delimiter).find(folder => existsSync(join(folder, 'restic'))) ?? ''
  const folder = join(place, 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'restic'), `#!/bin/sh\n${script}\nexec '${join(restic, 'restic')}' "$@"\n`)
  chmodSync(join(folder, 'restic'), 0o755)
  process.env.PATH = `${folder}${delimiter}${path}`
  t.after(() => {
    process.env.PATH = path
  })
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
  const locked = join(place, 'locked')
  // Takes what it gets, as restic does that waits for its lock.
  substituteRestic(
    t,
    place,
    `if [ "$1" = backup ] && [ -e '${locked}' ]; then
       rm '${locked}'
       head -c 1000 > /dev/null
       echo 'unable to create lock in backend: repository is already locked by PID 1' >&2
       exit 1
     fi`,
  )
  const fleet = await testFleet(t, { plugins: [backup], env: quiet })
  await fleet.provision('acme')
  writeFileSync(join(fleet.root, 'acme', 'data'), randomBytes(3 * 1024 ** 2))
  const archive = (await download(fleet, 'acme')).body
  writeFileSync(locked, '')
  const { status, body } = await upload(fleet, 'acme', archive)
  assert.equal(status, 201, body.toString())
  assert.ok(!existsSync(locked), 'it was locked')
})

test('a client that asks only for the headers of an archive gives its place back', async t => {
  const fleet = await testFleet(t, { plugins: [backup], env: quiet })
  await fleet.provision('acme')
  const path = '/admin/instances/acme/archive'
  for (let asked = 0; asked < 3; asked++) {
    const { status, body } = await exchange(fleet.port, { method: 'HEAD', path, headers: bearer })
    assert.equal(status, 200)
    assert.equal(body.length, 0)
  }
  const { status, body } = await download(fleet, 'acme')
  assert.equal(status, 200)
  assert.ok(gunzipSync(body).includes('.longhouse-copy.json'))
})

test('a client that goes away while the store is being looked for ends nothing but its upload', {
  skip: noRestic,
}, async t => {
  const place = temporaryFolder(t)
  const [looked, go] = [join(place, 'looked'), join(place, 'go')]
  // Answers whether there is a store once it may.
  substituteRestic(
    t,
    place,
    `if [ "$1" = cat ]; then
       touch '${looked}'
       while [ -d '${place}' ] && ! [ -e '${go}' ]; do sleep 0.05; done
     fi`,
  )
  const town = await openTown(t, { plugins: [backup], env: quiet })
  const { headers, path } = await ownerOfAcme(town)
  const archive = (await exchange(town.port, { path, headers })).body
  const form = { ...headers, 'Content-Type': 'multipart/form-data; boundary=line' }
  const { asked } = open(t, town, 'POST', path, form)
  const head = '--line\r\nContent-Disposition: form-data; name="archive"; filename="acme.tar.gz"\r\n\r\n'
  asked.write(Buffer.concat([Buffer.from(head), archive.subarray(0, 1000)]))
  await eventually('the store is looked for', () => existsSync(looked))
  const closed = new Promise(resolve => asked.once('close', resolve))
  asked.destroy()
  await closed
  // The control plane has noticed by the time that it answers another.
  assert.equal((await exchange(town.port, { path: '/instances', headers })).status, 200)
  writeFileSync(go, '')
  const { status, body } = await exchange(town.port, { method: 'POST', path, headers, body: archive })
  assert.equal(status, 202, body.toString())
})

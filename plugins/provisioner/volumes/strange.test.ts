import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

const mark = '.longhouse-volume'
const html = { headers: { Accept: 'text/html' } }

async function stoppedInstance(t: TestContext, fleet: TestFleet) {
  const { body } = await fleet.provision('acme')
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const volume = join(fleet.root, 'acme')
  writeFileSync(join(volume, 'precious'), 'data')
  writeFileSync(join(volume, 'longhouse.db'), '')
  return { id: body.id, volume, away: join(temporaryFolder(t), 'away') }
}

const purge = (fleet: TestFleet, query = '') =>
  fleet.admin('DELETE', `/admin/instances/acme?purge=true${query}`, { wait: 60 })
const state = async (fleet: TestFleet) => (await fleet.admin('GET', '/admin/instances/acme')).body

const strange: Record<string, { spoil(volume: string): void; words: RegExp }> = {
  'a forged mark': {
    spoil: volume => writeFileSync(join(volume, mark), 'inst_nobody'),
    words: /says that it belongs to another instance, inst_nobody, and was not deleted/,
  },
  'a mark that says nothing': {
    spoil: volume => writeFileSync(join(volume, mark), '../../etc\n'),
    words: /does not say readably whose it is, and was not deleted/,
  },
  'a mark that is a folder': {
    spoil: volume => {
      rmSync(join(volume, mark))
      mkdirSync(join(volume, mark))
    },
    words: /does not say readably whose it is, and was not deleted/,
  },
  'data without its mark': {
    spoil: volume => rmSync(join(volume, mark)),
    words: /holds an instance's data and does not say whose it is, and was not deleted/,
  },
  'another folder': {
    spoil: volume => {
      rmSync(volume, { recursive: true })
      mkdirSync(volume)
      for (const name of ['precious', 'photos', 'b', 'c']) writeFileSync(join(volume, name), 'data')
    },
    words: /does not say whose it is; it holds b, c, photos and 1 more, and was not deleted/,
  },
}

for (const [what, { spoil, words }] of Object.entries(strange)) {
  test(`a purge keeps ${what} and says so; it deletes it once the operator allows that`, async t => {
    const fleet = await testFleet(t)
    const { volume } = await stoppedInstance(t, fleet)
    spoil(volume)
    const refused = await purge(fleet)
    assert.deepEqual([refused.body.status, refused.body.volume_fault], ['failed', 'foreign'])
    assert.match(refused.body.status_reason ?? '', words)
    assert.equal(readFileSync(join(volume, 'precious'), 'utf8'), 'data')
    // The name stays with its owner as long as the data does.
    const taken = await fleet.admin('POST', '/admin/instances', {
      body: { subdomain: 'acme', owner_email: 'eve@example.com' },
    })
    assert.equal(taken.status, 409)

    const page = (await fleet.admin<string>('GET', '/admin/instances/acme', html)).body
    assert.match(page, /The data was not deleted/)
    assert.match(page, /action="\/admin\/instances\/acme\/purge"[\s\S]*name="anyway" value="true"/)
    const stranger = await fleet.admin('POST', '/admin/instances/acme/purge', {
      body: { confirm: 'acme', anyway: true },
      headers: { Authorization: '' },
    })
    assert.equal(stranger.status, 401)
    assert.equal(existsSync(join(volume, 'precious')), true)

    const done = await fleet.admin('POST', '/admin/instances/acme/purge', {
      body: { confirm: 'acme', anyway: true },
      wait: 60,
    })
    assert.equal(done.body.status, 'deleted', done.body.status_reason ?? '')
    assert.equal(existsSync(volume), false)
  })
}

test('a link in the volume’s place is kept until the operator allows its deletion; its target is never deleted', async t => {
  const fleet = await testFleet(t)
  const { volume, away } = await stoppedInstance(t, fleet)
  renameSync(volume, away)
  symlinkSync(away, volume)
  assert.match((await purge(fleet)).body.status_reason ?? '', /is not a folder, and was not deleted/)
  assert.equal((await purge(fleet, '&anyway=true')).body.status, 'deleted')
  assert.equal(readFileSync(join(away, 'precious'), 'utf8'), 'data')
  assert.equal(readdirSync(fleet.root).includes('acme'), false)
})

test('a purge succeeds once the instance’s own volume is back, and `anyway` is a yes or no', async t => {
  const fleet = await testFleet(t)
  const { id, volume } = await stoppedInstance(t, fleet)
  writeFileSync(join(volume, mark), 'inst_nobody')
  assert.equal((await purge(fleet)).body.status, 'failed')
  assert.equal((await fleet.admin('DELETE', '/admin/instances/acme?anyway=true')).status, 422)
  const bad = await fleet.admin<{ errors?: unknown }>('POST', '/admin/instances/acme/purge', {
    body: { confirm: 'acme', anyway: 'yes' },
  })
  assert.deepEqual(bad.body.errors, [{ path: 'anyway', message: 'must be true or false' }])
  writeFileSync(join(volume, mark), id)
  assert.equal((await purge(fleet)).body.status, 'deleted')
  assert.equal(existsSync(volume), false)
})

test('a permit for an empty volume ends when the instance is stopped or removed', async t => {
  let broken = false
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareImage: async spec => {
        if (broken) throw new Error('no image')
        return await real.prepareImage(spec)
      },
    }),
  })
  const { volume, away } = await stoppedInstance(t, fleet)
  const start = () => fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  const permit = async () => {
    renameSync(volume, away)
    broken = true
    const begun = await fleet.admin('POST', '/admin/instances/acme/begin-anew', { body: {}, wait: 60 })
    assert.match(begun.body.status_reason ?? '', /no image/)
    broken = false
  }
  // Given, not used, and the operator stops it.
  await permit()
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  assert.equal((await start()).body.volume_fault, 'missing')
  assert.equal(existsSync(volume), false)

  // Given, not used, and removed and brought back.
  renameSync(away, volume)
  await permit()
  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  const back = await fleet.admin('POST', '/admin/instances/acme/restore', { body: {}, wait: 60 })
  assert.equal(back.body.volume_fault, 'missing')
  assert.equal(existsSync(volume), false)
  assert.equal((await state(fleet)).status, 'failed')
})

test('a permit to adopt is never for the volume of another instance that has a record', async t => {
  let broken = true
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareImage: async spec => {
        if (broken && spec.subdomain === 'acme') throw new Error('no image')
        return await real.prepareImage(spec)
      },
    }),
  })
  broken = false
  const { volume } = await stoppedInstance(t, fleet)
  const other = await fleet.provision('other', 'eve@example.com')
  await fleet.admin('POST', '/admin/instances/other/stop', { wait: 60 })
  rmSync(join(volume, mark))
  broken = true
  await fleet.admin('POST', '/admin/instances/acme/begin-anew', { body: { adopt: true }, wait: 60 })
  broken = false
  rmSync(volume, { recursive: true })
  renameSync(join(fleet.root, 'other'), volume)
  const started = await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
  assert.equal(started.body.volume_fault, 'foreign')
  assert.equal(readFileSync(join(volume, mark), 'utf8').trim(), other.body.id)
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

/** A fleet in which the test does something right after the control plane looked at the volume of "acme". */
async function fleetWithSwap(t: TestContext, options: { root?: string } = {}) {
  const after: { look?: () => void } = {}
  const fleet = await testFleet(t, {
    ...options,
    look: real => async path => {
      const sight = await real(path)
      const act = path.endsWith('/acme') ? after.look : undefined
      if (act) delete after.look
      act?.()
      return sight
    },
  })
  return { fleet, after }
}

async function stopped(fleet: TestFleet, subdomain: string) {
  const { body } = await fleet.provision(subdomain, `${subdomain}@example.com`)
  await fleet.admin('POST', `/admin/instances/${subdomain}/stop`, { wait: 60 })
  const volume = join(fleet.root, subdomain)
  writeFileSync(join(volume, 'precious'), `data of ${subdomain}`)
  return { id: body.id, volume }
}

const purge = (fleet: TestFleet, query = '') =>
  fleet.admin('DELETE', `/admin/instances/acme?purge=true${query}`, { wait: 60 })
const start = (fleet: TestFleet, subdomain: string) =>
  fleet.admin('POST', `/admin/instances/${subdomain}/start`, { wait: 60 })
const precious = (volume: string) => readFileSync(join(volume, 'precious'), 'utf8')

test('a volume that replaced the one a purge had checked is moved back, and the error says whose it is', async t => {
  const { fleet, after } = await fleetWithSwap(t)
  const own = await stopped(fleet, 'acme')
  const other = await stopped(fleet, 'other')
  const away = join(fleet.root, 'away')
  after.look = () => {
    renameSync(own.volume, away)
    renameSync(other.volume, own.volume)
  }
  const refused = await purge(fleet)
  assert.deepEqual([refused.body.status, refused.body.volume_fault], ['failed', 'foreign'])
  assert.match(refused.body.status_reason ?? '', /belongs to another instance, .* move it to where "other"/)
  assert.equal(precious(own.volume), 'data of other')
  assert.equal(precious(away), 'data of acme')

  renameSync(own.volume, other.volume)
  assert.equal((await start(fleet, 'other')).body.status, 'running')
  renameSync(away, own.volume)
  assert.equal((await purge(fleet)).body.status, 'deleted')
  assert.equal(existsSync(own.volume), false)
})

test('the remains of an interrupted purge are deleted first', async t => {
  const { fleet, after } = await fleetWithSwap(t)
  const own = await stopped(fleet, 'acme')
  const remains = join(fleet.root, '.control', 'trash', own.id)
  mkdirSync(join(remains, 'half'), { recursive: true })
  let thereWhenLooked: boolean | undefined
  after.look = () => {
    thereWhenLooked = existsSync(remains)
  }
  assert.equal((await purge(fleet)).body.status, 'deleted')
  assert.deepEqual([thereWhenLooked, existsSync(remains), existsSync(own.volume)], [false, false, false])
})

test('a volume that was moved when the program was killed is checked before it is deleted', async t => {
  const { fleet } = await fleetWithSwap(t)
  const own = await stopped(fleet, 'acme')
  const other = await stopped(fleet, 'other')
  const trash = join(fleet.root, '.control', 'trash')
  const moved = join(trash, `${own.id}.moved`)
  mkdirSync(trash, { recursive: true })
  renameSync(own.volume, join(fleet.root, 'away'))
  renameSync(other.volume, moved)
  assert.equal((await purge(fleet)).body.volume_fault, 'foreign')
  assert.equal(precious(own.volume), 'data of other', 'it is back where it was')

  // With its place taken it stays, and the operator reads where.
  renameSync(own.volume, moved)
  renameSync(join(fleet.root, 'away'), own.volume)
  const taken = await purge(fleet)
  assert.match(taken.body.status_reason ?? '', new RegExp(`kept at ${moved}: .* its place is taken`))
  assert.deepEqual([precious(moved), precious(own.volume)], ['data of other', 'data of acme'])

  renameSync(moved, other.volume)
  renameSync(own.volume, moved)
  assert.equal((await purge(fleet)).body.status, 'deleted')
  assert.deepEqual([existsSync(moved), precious(other.volume)], [false, 'data of other'])
})

test('a disk mounted over the one that a purge checked is not emptied', async t => {
  const disk = smallDisk(t, { mebibytes: 8 })
  if (!disk) return
  const root = mkdtempSync(join(tmpdir(), 'longhouse-disk-'))
  const { fleet, after } = await fleetWithSwap(t, { root })
  const own = await stopped(fleet, 'acme')
  const other = await stopped(fleet, 'other')
  let mounts = 0
  const mount = (dir: string) => {
    execFileSync('mount', ['--bind', dir, own.volume])
    mounts++
  }
  t.after(() => {
    while (mounts-- > 0) execFileSync('umount', ['--lazy', own.volume])
    rmSync(root, { recursive: true })
  })
  execFileSync('cp', ['-a', `${own.volume}/.`, disk.dir])
  mount(disk.dir)
  after.look = () => mount(other.volume)
  const refused = await purge(fleet)
  assert.equal(refused.body.volume_fault, 'foreign')
  assert.match(
    refused.body.status_reason ?? '',
    /is not what it was when the purge looked at it, and was not deleted/,
  )
  assert.equal(precious(other.volume), 'data of other')
  assert.equal(precious(disk.dir), 'data of acme')
})

test('a volume that replaces a new one while it is prepared keeps its mark', async t => {
  let swap = () => {}
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      prepareVolume: async spec => {
        await real.prepareVolume(spec)
        if (basename(spec.volume) === 'acme') swap()
      },
    }),
  })
  const other = await stopped(fleet, 'other')
  const acme = join(fleet.root, 'acme')
  swap = () => {
    renameSync(acme, join(fleet.root, 'away'))
    renameSync(other.volume, acme)
  }
  const failed = await fleet.provision('acme')
  assert.deepEqual([failed.body.status, failed.body.volume_fault], ['failed', 'foreign'])
  assert.equal(readFileSync(join(acme, '.longhouse-volume'), 'utf8').trim(), other.id)

  // A volume of an earlier version carries no identity, and belongs to its owner all the same.
  swap = () => {
    renameSync(acme, join(fleet.root, 'empty'))
    renameSync(other.volume, acme)
  }
  renameSync(acme, other.volume)
  writeFileSync(join(other.volume, 'longhouse.db'), '')
  rmSync(join(other.volume, '.longhouse-volume'))
  const unmarked = await start(fleet, 'acme')
  assert.deepEqual([unmarked.body.status, unmarked.body.volume_fault], ['failed', 'foreign'])
  assert.equal(existsSync(join(acme, '.longhouse-volume')), false)
  assert.equal(precious(acme), 'data of other')
})

test('a mark written just before ours is kept', async t => {
  const { fleet, after } = await fleetWithSwap(t)
  mkdirSync(join(fleet.root, 'acme'))
  const mark = join(fleet.root, 'acme', '.longhouse-volume')
  let looks = 0
  const onLook = () => {
    // The asking looks twice; the step before it prepares the folder, and after.
    if (++looks < 4) after.look = onLook
    else writeFileSync(mark, 'inst_nobody\n')
  }
  after.look = onLook
  const failed = await fleet.provision('acme')
  assert.equal(looks, 4)
  assert.deepEqual([failed.body.status, failed.body.volume_fault], ['failed', 'foreign'])
  assert.equal(readFileSync(mark, 'utf8'), 'inst_nobody\n')
})

import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { builtRoot } from '../../src/root.ts'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

const hour = 3_600_000

/** A fleet whose program for copies waits before it packs the volume `acme`, for as long as it is held. */
async function heldFleet(t: TestContext, env: Record<string, string> = {}) {
  const folder = temporaryFolder(t)
  const [held, begun] = [join(folder, 'held'), join(folder, 'begun')]
  const copyProgram = join(folder, 'copy.mjs')
  writeFileSync(
    copyProgram,
    `import { existsSync, writeFileSync } from 'node:fs'
     const [, , command, volume] = process.argv
     const isHeld = () => command === 'pack' && volume.endsWith('/acme') && existsSync(${JSON.stringify(held)})
     if (isHeld()) writeFileSync(${JSON.stringify(begun)}, '')
     while (isHeld()) await new Promise(resolve => setTimeout(resolve, 20))
     await import(${JSON.stringify(pathToFileURL(builtRoot('copy.js')).href)})`,
  )
  const clock = setClock()
  const fleet = await testFleet(t, {
    plugins: [backup],
    env: { BACKUP_EVERY: '24h', BACKUP_PROVE_EVERY: '0ms', ...env },
    copies: { copyProgram, folderIdleMs: 60 * 60_000 },
    // A long wait is a shorter one here.
    clock: { ...clock, sleep: (ms, signal) => systemClock.sleep(ms > 40_000 ? ms / 20 : ms, signal) },
  })
  for (const name of ['acme', 'beta']) await fleet.provision(name)
  return {
    ...{ fleet, clock },
    hold: () => writeFileSync(held, ''),
    hasBegun: () => eventually('it has begun', () => existsSync(begun)),
    letGo: () => rmSync(held),
    copies: async (name: string) =>
      (await fleet.admin<{ backups: WireBackup[] }>('GET', `/admin/instances/${name}/backups`)).body.backups,
  }
}

test('a backup that hangs delays those of no other instance', { skip: noRestic }, async t => {
  const { fleet, clock, hold, hasBegun, letGo, copies } = await heldFleet(t)
  hold()
  clock.advance(2 * hour)
  await fleet.program.runOnce('backup:copy')
  await hasBegun()
  await eventually('the other is made', async () => (await copies('beta')).length === 1)
  clock.advance(25 * hour)
  await fleet.program.runOnce('backup:copy')
  await eventually('the next one as well', async () => (await copies('beta')).length === 2)
  assert.equal((await copies('acme')).length, 0)
  letGo()
  await eventually('it is made', async () => (await copies('acme')).length === 1)
})

test('what was written before “Back up now” is in that backup, though another one was being made', {
  skip: noRestic,
}, async t => {
  const { fleet, clock, hold, hasBegun, letGo, copies } = await heldFleet(t)
  hold()
  clock.advance(2 * hour)
  await fleet.program.runOnce('backup:copy')
  await hasBegun()
  clock.advance(1000)
  const asked = clock.now()
  const path = '/admin/instances/acme/backup'
  const both = [
    fleet.admin<WireBackup>('POST', path, { wait: 100 }),
    fleet.admin<WireBackup>('POST', path, { wait: 100 }),
  ]
  letGo()
  const [one, other] = await Promise.all(both)
  assert.equal(one?.status, 201, JSON.stringify(one?.body))
  assert.equal(one?.body.id, other?.body.id, 'one that has not begun serves both')
  assert.ok(Date.parse(one?.body.created_at ?? '') >= asked)
  assert.deepEqual(
    (await copies('acme')).map(({ reason }) => reason),
    ['demand', 'schedule'],
  )
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'

const hour = 3_600_000

test('copies of the records that are asked for at the same time are each whole', {
  skip: noRestic,
}, async t => {
  const env = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }
  const fleet = await testFleet(t, { plugins: [backup], env })
  await fleet.provision('acme')
  const control = join(fleet.root, '.control')
  const all = await Promise.all(Array.from({ length: 4 }, () => fleet.admin('POST', '/admin/backup')))
  assert.deepEqual(
    all.map(({ status }) => status),
    [201, 201, 201, 201],
    JSON.stringify(all.map(({ body }) => body)),
  )
  assert.deepEqual(
    readdirSync(control).filter(name => name.includes('.copy')),
    [],
  )
})

test('restic that is installed later is used without a restart, and the records are thinned out without any instance', {
  skip: noRestic,
}, async t => {
  const path = process.env.PATH ?? ''
  const own = temporaryFolder(t)
  const real = path
    .split(delimiter)
    .map(folder => join(folder, 'restic'))
    .find(file => {
      try {
        return execFileSync(file, ['version']).length > 0
      } catch {
        return false
      }
    })
  assert.ok(real)
  // All programs but restic.
  const folders = path.split(delimiter).map((folder, index) => {
    let names: string[] = []
    try {
      names = readdirSync(folder)
    } catch {}
    if (!names.includes('restic')) return folder
    const shadow = join(own, `path-${index}`)
    mkdirSync(shadow)
    for (const name of names) if (name !== 'restic') symlinkSync(join(folder, name), join(shadow, name))
    return shadow
  })
  const later = join(own, 'installed')
  mkdirSync(later)
  process.env.PATH = [later, ...folders].join(delimiter)
  t.after(() => {
    process.env.PATH = path
  })
  const clock = setClock()
  const fleet = await testFleet(t, { plugins: [backup], env: { BACKUP_EVERY: '24h' }, clock })
  const copy = async () => await fleet.admin<{ detail?: string }>('POST', '/admin/backup')
  const missing = await copy()
  assert.equal(missing.status, 502)
  assert.match(missing.body.detail ?? '', /restic is not installed/)
  clock.advance(2 * hour)
  await fleet.program.runOnce('backup:copy-records')
  symlinkSync(real, join(later, 'restic'))
  await fleet.program.runOnce('backup:copy-records')
  assert.equal((await copy()).status, 201)

  const snapshots = () => readdirSync(join(fleet.root, '.control/backups/snapshots')).length
  assert.equal(snapshots(), 2)
  clock.advance(72 * hour)
  assert.equal((await copy()).status, 201)
  assert.equal(snapshots(), 3)
  await fleet.program.runOnce('backup:forget')
  assert.equal(snapshots(), 2, 'of the first day one is kept')
})

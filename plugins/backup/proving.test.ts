import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noRestic } from '../../src/testing/restic.ts'
import { smallDisk } from '../../src/testing/small-disk.ts'
import { backupFleet } from './backup.fixture.ts'

test('a copy that finds no space to be tried is not one that does not work', { skip: noRestic }, async t => {
  const disk = smallDisk(t, { mebibytes: 32 })
  if (!disk) return
  const fleet = await backupFleet(t)
  await fleet.provision('acme')
  const copy = await fleet.copy('acme')
  symlinkSync(disk.dir, join(fleet.root, '.control/proofs'))
  const verify = async () =>
    await fleet.admin<typeof copy & { detail?: string }>(
      'POST',
      `/admin/instances/acme/backups/${copy.id}/verify`,
      { wait: 100 },
    )
  assert.equal((await verify()).status, 200)
  const [proven] = await fleet.copies('acme')
  assert.notEqual(proven?.verified_at, null)

  disk.fill()
  const { status, body } = await verify()
  assert.equal(status, 507, JSON.stringify(body))
  assert.match(body.detail ?? '', /The backup could not be tried, and is kept/)
  assert.deepEqual(await fleet.copies('acme'), [proven], 'its record stays as it was')

  disk.free()
  assert.equal((await verify()).status, 200)
})

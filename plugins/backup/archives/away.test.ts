import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { openTown } from '../../owners/owners.fixture.ts'
import { backup } from '../index.ts'
import { exchange, ownerOfAcme } from './archive.fixture.ts'

test('an owner whose archive cannot be tried, because the store went away, learns nothing about the host', {
  skip: noRestic,
}, async t => {
  const root = temporaryFolder(t)
  const store = join(root, '.control/backups')
  const town = await openTown(t, {
    root,
    plugins: [backup],
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' },
    driver: real => ({
      ...real,
      workOnFolder: async work => {
        if (work.command === 'prove') renameSync(store, `${store}.elsewhere`)
        return await real.workOnFolder(work)
      },
    }),
  })
  const { headers, path } = await ownerOfAcme(town)
  const archive = (await exchange(town.port, { path, headers })).body
  const { status, body } = await exchange(town.port, { method: 'POST', path, headers, body: archive })
  assert.equal(status, 503, body.toString())
  assert.match(body.toString(), /cannot be taken in now. Nothing was changed/)
  assert.ok(!body.toString().includes(root) && !body.toString().includes('restic'), body.toString())
})

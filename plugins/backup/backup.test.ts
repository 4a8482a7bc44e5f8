import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noRestic } from '../../src/testing/restic.ts'
import type { WireInstance } from '../provisioner/pages/wire.ts'
import { backupFleet } from './backup.fixture.ts'

test('an instance is copied while it runs, and restored in place and into a new name', {
  skip: noRestic,
}, async t => {
  const fleet = await backupFleet(t)
  const { body: acme } = await fleet.provision('acme')
  const owner = await fleet.asOwner('acme', acme.password ?? '')
  await owner.post('/api/jobs/repo/init')
  const write = async (path: string, content: string) =>
    await owner.put(`/api/jobs/repo/files/${path}`, { content })
  const first = await write('notes.txt', 'before the copy')
  assert.ok(first.status < 300, JSON.stringify(first))

  const copy = await fleet.copy('acme')
  assert.equal(copy.reason, 'demand')
  assert.equal(copy.verified_at, null)
  assert.deepEqual(await fleet.copies('acme'), [copy])
  assert.equal(statSync(join(fleet.root, '.control/backup-password')).mode & 0o777, 0o600)

  const proven = await fleet.admin<typeof copy>('POST', `/admin/instances/acme/backups/${copy.id}/verify`, {
    wait: 100,
  })
  assert.equal(proven.status, 200, JSON.stringify(proven.body))
  assert.notEqual(proven.body.verified_at, null)

  await write('notes.txt', 'after the copy')
  const restored = await fleet.admin('POST', '/admin/instances/acme/restore', {
    body: { backup: copy.id },
    wait: 100,
  })
  assert.equal(restored.status, 200)
  assert.equal(restored.body.operation?.status, 'succeeded', JSON.stringify(restored.body.operation))
  assert.equal(restored.body.status, 'running')
  const again = await fleet.asOwner('acme', acme.password ?? '')
  const { body: file } = await again.get<{ content: string }>('/api/jobs/repo/files/notes.txt')
  assert.equal(file.content, 'before the copy')
  assert.deepEqual(
    (await fleet.copies('acme')).map(({ reason }) => reason),
    ['restore', 'demand'],
    'the data of before the restore are in a copy',
  )
  assert.deepEqual(
    existsSync(join(fleet.root, '.control/restores'))
      ? readdirSync(join(fleet.root, '.control/restores'))
      : [],
    [],
  )

  const into = await fleet.admin('POST', '/admin/instances/acme/restore', {
    body: { backup: copy.id, into: 'clone' },
    wait: 100,
  })
  assert.equal(into.body.operation?.status, 'succeeded', JSON.stringify(into.body.operation))
  assert.notEqual(into.body.id, restored.body.id)
  assert.equal(into.body.subdomain, 'clone')
  const clone = await fleet.asOwner('clone', into.body.password ?? '')
  const { body: cloned } = await clone.get<{ content: string }>('/api/jobs/repo/files/notes.txt')
  assert.equal(cloned.content, 'before the copy')

  await t.test('a copy of another instance does not exist for this one', async () => {
    for (const body of [{ backup: copy.id }, { backup: copy.id, into: 'third' }, { backup: 'copy_none' }]) {
      const answer = await fleet.admin<{ type: string }>('POST', '/admin/instances/clone/restore', { body })
      assert.equal(answer.status, 404)
      assert.match(answer.body.type, /unknown-backup/)
    }
    const { body } = await fleet.admin<WireInstance>('GET', '/admin/instances/clone')
    assert.equal(body.operation?.kind, 'restore-new', 'nothing was started')
  })
})

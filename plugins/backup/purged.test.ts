import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noRestic } from '../../src/testing/restic.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'

const quiet = { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' }

interface List {
  backups: { id: string; subdomain: string; purged: boolean; reason: string }[]
  next_cursor: string | null
}

test('a copy of a purged instance is listed, and comes back in a new instance of its last owner', {
  skip: noRestic,
}, async t => {
  const fleet = await testFleet(t, { plugins: [backup], env: quiet })
  const list = async (query = '') => (await fleet.admin<List>('GET', `/admin/backups${query}`)).body
  const { body: first } = await fleet.provision('acme')
  await fleet.provision('beta')
  const { body: other } = await fleet.admin('POST', '/admin/instances/beta/backup', { wait: 60 })
  writeFileSync(join(fleet.root, 'acme', 'precious'), 'x')
  await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.ok(!existsSync(join(fleet.root, 'acme')))

  const { backups } = await list('?purged=true')
  assert.deepEqual(
    backups.map(({ subdomain, purged, reason }) => ({ subdomain, purged, reason })),
    [{ subdomain: 'acme', purged: true, reason: 'purge' }],
  )
  const [copy] = backups
  assert.ok(copy)
  assert.deepEqual((await list('?subdomain=acme')).backups, backups)
  const all = await list()
  assert.deepEqual(
    all.backups.map(({ id, purged }) => [id, purged]),
    [
      [copy.id, true],
      [other.id, false],
    ],
  )
  const page = await list('?limit=1')
  assert.deepEqual([page.backups.map(({ id }) => id), page.next_cursor], [[copy.id], copy.id])
  const rest = await list(`?limit=1&cursor=${page.next_cursor}`)
  assert.deepEqual([rest.backups.map(({ id }) => id), rest.next_cursor], [[other.id], null])
  assert.equal((await fleet.admin('GET', '/admin/backups?cursor=copy_none')).status, 422)
  const shown = await fleet.admin<string>('GET', '/admin/backups', { headers: { Accept: 'text/html' } })
  assert.match(shown.body, /Backups of deleted instances/)
  assert.ok(shown.body.includes(copy.id) && !shown.body.includes(other.id))

  const restore = (from: string, body: object) =>
    fleet.admin('POST', `/admin/instances/${from}/restore`, { body, wait: 100 })
  const refusals = [
    ['beta', { backup: copy.id, into: 'gamma' }, 404],
    ['gamma', { backup: copy.id, into: 'gamma' }, 404],
    ['acme', { backup: copy.id }, 404],
    ['acme', { backup: copy.id, into: 'beta' }, 409],
    ['beta', { backup: other.id, owner_email: 'grace@example.com' }, 422],
  ] as const
  for (const [from, body, status] of refusals)
    assert.equal((await restore(from, body)).status, status, JSON.stringify(body))

  const { body: back } = await restore('acme', { backup: copy.id, into: 'acme' })
  assert.equal(back.status, 'running', JSON.stringify(back.operation))
  assert.deepEqual([back.owner_email, typeof back.password], [first.owner_email, 'string'])
  assert.notEqual(back.id, first.id)
  assert.equal(readFileSync(join(fleet.root, 'acme', 'precious'), 'utf8'), 'x')
  // The name has an instance again; the copy of the one before it can still be restored, for another owner too.
  const given = await restore('acme', { backup: copy.id, into: 'delta', owner_email: 'grace@example.com' })
  assert.deepEqual([given.body.status, given.body.owner_email], ['running', 'grace@example.com'])
})

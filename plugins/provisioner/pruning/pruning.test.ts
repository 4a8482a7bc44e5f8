import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { DriverError, type HostImage } from '../driver.ts'
import { testFleet } from '../fleet.fixture.ts'

interface Pruned {
  dry_run: boolean
  removed: { id: string }[]
  kept: { id: string; reason: string }[]
}
interface Disk {
  images: { id: string; needed_by: string[] }[]
  folders: { name: string; bytes: number | null }[]
  free_bytes: number
  logs_bytes_at_most: number
}

const day = 86_400_000

test('only images of ours that nothing needs are pruned: not one that an instance has, could go back to or is being given', async t => {
  const image = (id: string, change: Partial<HostImage> = {}): HostImage => ({
    ...{ id, program: 'runtime', tags: [`longhouse-runtime:${id}`], bytes: 1000, containers: [] },
    createdAt: Date.now() - 10 * day,
    ...change,
  })
  const all = [
    image('default', { tags: ['longhouse-runtime:latest'] }),
    image('own'),
    image('back'),
    image('opened'),
    image('asked'),
    image('used', { containers: ['someone-elses'] }),
    image('old'),
    image('young', { createdAt: Date.now() - day }),
    image('derived', { tags: ['acme/with-fonts:1'] }),
    image('untagged', { tags: [] }),
    image('control', { program: 'control-plane', tags: ['longhouse-control-plane:1'] }),
    image('stuck'),
  ]
  // After the round of the start, which finds none.
  let there: HostImage[] = []
  const removed: string[] = []
  const asker = definePlugin({
    name: 'asker',
    needs: ['provisioner'],
    setup: () => ({
      hooks: { 'images-in-use': () => [{ imageId: 'asked', why: 'a fleet upgrade brings it' }] },
    }),
  })
  const fleet = await testFleet(t, {
    plugins: [asker],
    env: { PRUNE_IMAGES_AFTER: '5d' },
    driver: real => ({
      ...real,
      images: async () => there.filter(({ id }) => !removed.includes(id)),
      removeImage: async ({ id }) => {
        if (id === 'stuck') throw new DriverError('it has child images', { permanent: false })
        removed.push(id)
      },
    }),
  })
  await fleet.provision('acme')
  const { body } = await fleet.provision('beta')
  there = all
  const db = new Database(join(fleet.root, '.control', 'longhouse.db'))
  db.exec(`update provisioner_instances set image_id = 'own' where subdomain = 'acme'`)
  db.prepare(
    'insert into provisioner_rollbacks (instance_id, operation_id, image, image_id, kept_at) values (?, ?, ?, ?, 1)',
  ).run(body.id, 'op_1', 'longhouse-runtime:back', 'back')
  db.prepare(`update provisioner_operations set status = 'pending', image = ? where instance_id = ?`).run(
    'longhouse-runtime:opened',
    body.id,
  )
  db.close()
  const disk = async () => (await fleet.admin<Disk>('GET', '/admin/disk')).body
  const needs = new Map((await disk()).images.map(each => [each.id, each.needed_by.join('; ')]))
  assert.deepEqual(
    [...needs]
      .filter(([, why]) => why === '')
      .map(([id]) => id)
      .toSorted(),
    ['old', 'stuck', 'young'],
  )
  for (const [id, why] of [
    ['default', /new instances get it/],
    ['own', /acme/],
    ['back', /beta can go back to it/],
    ['opened', /an operation in progress/],
    ['asked', /a fleet upgrade brings it/],
    ['used', /the container someone-elses/],
    ['derived', /its name is not one of Longhouse/],
    ['untagged', /no tag, and no instance had it/],
    ['control', /not pruned/],
  ] as const)
    assert.match(needs.get(id) ?? '', why)

  const prune = async (ask: object) =>
    (await fleet.admin<Pruned>('POST', '/admin/disk/prune', { body: ask })).body
  const dry = await prune({ dry_run: true })
  assert.deepEqual(
    [dry.dry_run, dry.removed.map(({ id }) => id).toSorted(), removed],
    [true, ['old', 'stuck', 'young'], []],
  )
  const chosen = await prune({ images: ['back', 'derived'] })
  assert.deepEqual([chosen.removed, chosen.kept.map(({ id }) => id).toSorted()], [[], ['back', 'derived']])
  // The page shows the first 12 digits of an id; unknown ids are refused, and nothing is removed.
  const hashed = `sha256:0123456789ab${'c'.repeat(52)}`
  there = [...all, image(hashed, { tags: ['longhouse-runtime:short'] })]
  const short = await prune({ images: ['0123456789ab'], dry_run: true })
  assert.deepEqual(
    short.removed.map(({ id }) => id),
    [hashed],
  )
  const unknown = await fleet.admin<{ errors: { path: string; message: string }[] }>(
    'POST',
    '/admin/disk/prune',
    {
      body: { images: ['old', 'ffffffffffff'] },
    },
  )
  assert.equal(unknown.status, 422)
  assert.match(unknown.body.errors[0]?.message ?? '', /unknown: ffffffffffff$/)
  assert.deepEqual(removed, [])
  there = all
  // By itself once a day, from the age that is set.
  await fleet.program.runOnce('provisioner:prune-images')
  assert.deepEqual(removed, ['old'])
  const rest = await prune({})
  assert.deepEqual(removed, ['old', 'young'])
  assert.deepEqual(rest.kept, [{ id: 'stuck', reason: 'it has child images' }])
  const stranger = await fleet.admin('POST', '/admin/disk/prune', {
    body: {},
    headers: { Authorization: 'Bearer wrong-token-of-a-stranger' },
  })
  assert.equal(stranger.status, 401)
  const page = await fleet.admin<string>('GET', '/admin/disk', { headers: { Accept: 'text/html' } })
  assert.match(page.body, /<a href="\/admin\/disk" aria-current="page">\s*Host/)
  assert.match(page.body, /Remove 1 image/)
})

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ProblemDocument } from '../../../src/http/problem.ts'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { identityFile } from '../../../src/storage/volume-identity.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

interface Item {
  id: string
  kind: string
  name: string
  reason: string
  repair: string | null
  effect: string
  bytes: number | null
  since: string | null
}
interface Found {
  items: Item[]
  unknown: string[]
}

const compare = async (fleet: TestFleet): Promise<Item[]> => {
  const { status, body } = await fleet.admin<Found>('POST', '/admin/orphans/compare', { body: {} })
  assert.equal(status, 200)
  return body.items
}
const repair = (fleet: TestFleet, { id }: Pick<Item, 'id'>, body: object = {}) =>
  fleet.admin<{ done: boolean; what: string } & ProblemDocument>('POST', `/admin/orphans/${id}/repair`, {
    body,
  })
const one = (items: readonly Item[], name: string): Item => {
  const item = items.find(each => each.name === name)
  assert.ok(item, `${name} is among ${items.map(each => each.name)}`)
  return item
}

/** A folder of a data root that looks like the volume of an instance. */
function folder(root: string, name: string, id: string | null): string {
  const path = join(root, name)
  mkdirSync(path)
  writeFileSync(join(path, 'longhouse.db'), 'data of a customer')
  if (id !== null) writeFileSync(join(path, identityFile), `${id}\n`)
  return path
}

test('folders that no record knows are listed with size, age and reason, and set aside, never deleted', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  assert.deepEqual(await compare(fleet), [])
  folder(fleet.root, 'lost', 'inst_of_another_host')
  folder(fleet.root, 'nameless', null)
  const items = await compare(fleet)
  assert.deepEqual(
    items.map(({ kind, name, repair }) => `${kind} ${name} ${repair}`),
    ['folder lost set-aside', 'folder nameless set-aside'],
  )
  const lost = one(items, 'lost')
  assert.match(lost.reason, /the volume of inst_of_another_host, which no record knows/)
  assert.match(one(items, 'nameless').reason, /does not say whose/)
  assert.ok((lost.bytes ?? 0) > 0)
  assert.ok(Date.now() - Date.parse(lost.since ?? '') < 3_600_000)

  const dry = await repair(fleet, lost, { dry_run: true })
  assert.deepEqual([dry.status, dry.body.done], [200, false])
  assert.match(dry.body.what, /is moved to .*set-aside\. Nothing is deleted/)
  assert.ok(existsSync(join(fleet.root, 'lost')))
  const done = await repair(fleet, lost)
  assert.equal(done.status, 200)
  const aside = join(fleet.root, '.control', 'set-aside')
  const [moved = ''] = readdirSync(aside)
  assert.match(moved, /^lost\.\d{4}-/)
  assert.equal(readFileSync(join(aside, moved, 'longhouse.db'), 'utf8'), 'data of a customer')
  assert.equal((await repair(fleet, lost)).status, 404, 'it is no longer listed')

  const page = await fleet.admin<string>('GET', '/admin/orphans', { headers: { Accept: 'text/html' } })
  assert.match(page.body, /<a href="\/admin\/disk" aria-current="page">\s*Host/)
  assert.match(page.body, /nameless[\s\S]*Set aside…/)
  const overview = await fleet.admin<string>('GET', '/admin/instances', { headers: { Accept: 'text/html' } })
  assert.equal(overview.status, 200)
})

test('a folder with the longest name that there can be is set aside under the beginning of it', async t => {
  const fleet = await testFleet(t)
  const names = ['x'.repeat(250), 'ü'.repeat(127), 'x'.repeat(255)]
  for (const name of names) folder(fleet.root, name, null)
  const items = await compare(fleet)
  for (const name of names) assert.equal((await repair(fleet, one(items, name))).status, 200, name)
  const moved = readdirSync(join(fleet.root, '.control', 'set-aside')).sort()
  assert.equal(moved.length, 3)
  for (const name of moved) assert.match(name, /^(x{100,}|ü{80,})…\.[0-9a-f]{16}\.\d{4}-/)
})

test('a folder whose name is not UTF-8 is listed, with its bytes and what to do', async t => {
  const fleet = await testFleet(t)
  mkdirSync(Buffer.concat([Buffer.from(`${fleet.root}/caf`), Buffer.from([0xe9])]))
  const item = one(await compare(fleet), 'caf\\xe9')
  assert.deepEqual([item.kind, item.repair], ['folder', null])
  assert.match(item.reason, /no record has this name, and it is not UTF-8/)
  assert.equal((await repair(fleet, item)).status, 409)
})

test('what was listed is looked at again: another folder, and one whose name an instance has by now, stay', async t => {
  const fleet = await testFleet(t)
  folder(fleet.root, 'lost', 'inst_a')
  folder(fleet.root, 'soon', 'inst_b')
  const items = await compare(fleet)
  renameSync(join(fleet.root, 'lost'), join(fleet.root, '.control', 'elsewhere'))
  folder(fleet.root, 'lost', 'inst_c')
  const other = await repair(fleet, one(items, 'lost'))
  assert.equal(other.status, 409)
  assert.match(other.body.detail, /no longer what was listed/)
  const adopted = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'soon', owner_email: 'ada@example.com', adopt: true },
    wait: 60,
  })
  assert.equal(adopted.status, 201)
  const taken = await repair(fleet, one(items, 'soon'))
  assert.equal(taken.status, 409)
  assert.ok(existsSync(join(fleet.root, 'lost')) && existsSync(join(fleet.root, 'soon')))
  const stranger = await fleet.admin('POST', `/admin/orphans/${one(items, 'lost').id}/repair`, {
    body: {},
    headers: { Authorization: 'Bearer wrong-token-of-a-stranger' },
  })
  assert.equal(stranger.status, 401)
})

test('a volume under a wrong name is put back, and its instance starts again', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  renameSync(join(fleet.root, 'acme'), join(fleet.root, 'acme-old'))
  const items = await compare(fleet)
  assert.match(one(items, 'acme').reason, /its volume is missing/)
  const wrong = one(items, 'acme-old')
  assert.match(wrong.reason, /the volume of acme, and stands under another name/)
  mkdirSync(join(fleet.root, 'acme'))
  const taken = await repair(fleet, wrong)
  assert.equal(taken.status, 409)
  assert.match(taken.body.detail, /Something stands at/)
  renameSync(join(fleet.root, 'acme'), join(fleet.root, '.control', 'empty'))
  assert.equal((await repair(fleet, wrong)).status, 200)
  assert.deepEqual(await compare(fleet), [])
  assert.equal(
    (await fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })).body.status,
    'running',
  )
})

test('containers, routes and copies without a record are listed; a container goes alone, by what it is at that moment', async t => {
  const there = [
    { instanceId: 'inst_lost', container: 'longhouse-lost', active: true, id: 'c1', createdAt: 1000 },
    { instanceId: 'inst_other', container: 'longhouse-other', active: false, id: 'c2' },
  ]
  const discarded: string[] = []
  const copies = definePlugin({
    name: 'copies',
    needs: ['provisioner', 'router'],
    setup: ({ services: { router } }) => {
      router.set('nowhere', { state: 'stopped', instanceId: 'inst_gone' })
      const instances = () => [
        { instanceId: 'inst_gone', subdomain: 'gone', copies: 3, bytes: 4096, newestAt: 1000 },
      ]
      return { hooks: { 'volume-copies': { instances, overview: () => ({ copies: [] }) } as never } }
    },
  })
  const fleet = await testFleet(t, {
    plugins: [copies],
    driver: real => ({
      ...real,
      existing: async () => there,
      discard: async (_, id) => {
        discarded.push(id)
        there.splice(
          there.findIndex(each => each.id === id),
          1,
        )
      },
    }),
  })
  const items = await compare(fleet)
  assert.deepEqual(
    items.map(({ kind, name, repair }) => `${kind} ${name} ${repair}`),
    [
      'container longhouse-lost remove',
      'container longhouse-other remove',
      'route nowhere forget',
      'copies gone null',
    ],
  )
  assert.match(one(items, 'gone').reason, /3 backups of inst_gone, which no record knows/)
  assert.equal((await repair(fleet, one(items, 'gone'))).status, 409)
  assert.equal((await repair(fleet, one(items, 'nowhere'))).status, 200)
  // Another container has its name by now.
  const other = there.find(each => each.id === 'c2')
  if (other) other.id = 'c3'
  assert.equal((await repair(fleet, one(items, 'longhouse-lost'))).status, 200)
  assert.equal((await repair(fleet, one(items, 'longhouse-other'))).status, 404)
  assert.deepEqual(discarded, ['c1'])
  const left = await compare(fleet)
  assert.deepEqual(
    left.map(({ name }) => name),
    ['longhouse-other', 'gone'],
  )
  await eventually('the operator is told', async () => {
    const { body } = await fleet.admin<string>('GET', '/admin/instances', {
      headers: { Accept: 'text/html' },
    })
    return /do not fit the records: longhouse-other/.test(body)
  })
})

test('networks and containers of work that is over are listed, and removed while nothing uses them', async t => {
  const left = [
    {
      kind: 'container' as const,
      id: 'w1',
      name: 'longhouse-copy-1',
      active: false,
      createdAt: 1000,
      why: 'idle',
    },
    { kind: 'network' as const, id: 'n1', name: 'old', active: false, createdAt: null, why: 'no container' },
    {
      kind: 'network' as const,
      id: 'n2',
      name: 'older',
      active: false,
      createdAt: null,
      why: 'no container',
    },
  ]
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      leftovers: async () => [...left],
      discardLeftover: async (_, id) => {
        left.splice(
          left.findIndex(each => each.id === id),
          1,
        )
      },
    }),
  })
  // Not while the test takes things away.
  await eventually('the first comparison is over', async () => {
    const { body } = await fleet.admin<{ checked_at: string | null }>('GET', '/admin/orphans')
    return body.checked_at !== null
  })
  const items = await compare(fleet)
  assert.deepEqual(
    items.map(({ kind, name, repair, effect }) => `${kind} ${name} ${repair}: ${effect}`),
    [
      'container longhouse-copy-1 remove: The container longhouse-copy-1 is stopped and removed. Its volume stays.',
      'network old remove: The network old is removed. No container is on it.',
      'network older remove: The network older is removed. No container is on it.',
    ],
  )
  // A container has joined it by now.
  left.pop()
  assert.equal((await repair(fleet, one(items, 'older'))).status, 409)
  assert.equal(
    (await repair(fleet, one(items, 'longhouse-copy-1'))).body.what,
    'The container longhouse-copy-1 was removed.',
  )
  assert.equal((await repair(fleet, one(items, 'old'))).body.what, 'The network old was removed.')
  assert.deepEqual(left, [])
})

test('what cannot be looked at is unknown, and not absent', async t => {
  let silent = false
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      existing: async root => {
        if (silent) throw new Error('the engine gives no answer')
        return await real.existing(root)
      },
    }),
  })
  await fleet.provision('acme')
  silent = true
  const { body } = await fleet.admin<Found>('POST', '/admin/orphans/compare', { body: {} })
  assert.deepEqual([body.items, body.unknown], [[], ['the engine gives no answer']])
})

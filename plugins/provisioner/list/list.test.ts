import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import type { ProblemDocument } from '../../../src/http/problem.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'
import type { WireInstance } from '../pages/wire.ts'
import { addInstances } from '../reconciler/many-instances.fixture.ts'

interface List {
  instances: WireInstance[]
  total: number
}

/** Stopped, removed and failed instances that the reconciler leaves alone, each with what others know of it. */
async function mixedFleet(t: TestContext): Promise<TestFleet> {
  const root = temporaryFolder(t)
  const empty = await testFleet(t, { root })
  await empty.program.stop()
  addInstances(root, 6, { volumes: false })
  const db = new Database(join(root, '.control', 'longhouse.db'))
  const change = db.prepare(
    `update provisioner_instances set desired = ?, status = ?, volume_fault = ?, host = null, owner_email = ?,
      created_at = ? where subdomain = ?`,
  )
  change.run('stopped', 'stopped', null, 'zoe@example.com', 600, 'box-00000')
  change.run('running', 'failed', 'missing', 'Ada@example.com', 500, 'box-00001')
  change.run('stopped', 'stopped', null, 'ada@example.com', 400, 'box-00002')
  change.run('running', 'failed', 'missing', 'bob@example.com', 300, 'box-00003')
  change.run('stopped', 'stopped', null, 'bob@example.com', 200, 'box-00004')
  change.run('stopped', 'stopped', null, 'eve@example.com', 100, 'box-00005')
  const note = db.prepare(
    `insert into provisioner_notes (instance_id, plan, unpaid, copied_at, copy_overdue, version, version_order)
      values ('inst_' || ?, ?, ?, ?, ?, ?, ?)`,
  )
  note.run('box-00000', 'Basic', 0, 1000, 0, '1.9.0', '00000001.00000009.00000000~')
  note.run('box-00001', 'Team', 1, 3000, 1, '1.10.0', '00000001.00000010.00000000~')
  note.run('box-00002', 'Basic', 1, null, 1, '1.10.0', '00000001.00000010.00000000~')
  const use = db.prepare(
    `insert into provisioner_disk_uses (instance_id, bytes, measured_at) values ('inst_' || ?, ?, 1)`,
  )
  use.run('box-00004', 5000)
  use.run('box-00000', 7000)
  db.close()
  return await testFleet(t, { root, env: { HEALTH_INTERVAL: '1h' } })
}

const short = ({ instances }: List) => instances.map(({ subdomain }) => subdomain.slice(-1)).join('')
const asker = (fleet: TestFleet) => async (query: string) => {
  const { status, body } = await fleet.admin<List>('GET', `/admin/instances${query}`)
  assert.equal(status, 200, query)
  return short(body)
}
const page = async (fleet: TestFleet, query = '') =>
  String((await fleet.admin('GET', `/admin/instances${query}`, { headers: { Accept: 'text/html' } })).body)

test('the list is filtered by every column, and what it cannot be filtered by is refused in words', async t => {
  const fleet = await mixedFleet(t)
  const found = asker(fleet)
  for (const [query, names] of [
    ['', '012345'],
    ['status=failed', '13'],
    ['status=failed,stopped', '012345'],
    ['status=', '012345'],
    ['desired=stopped', '0245'],
    ['health=silent', '13'],
    ['health=off', '0245'],
    ['health=healthy', ''],
    ['driver=process', '012345'],
    ['driver=docker', ''],
    ['plan=Basic', '02'],
    ['plan=none', '345'],
    ['owner=ada@example.com', '12'],
    ['version=1.10.0', '12'],
    ['unpaid=true', '12'],
    ['backup_overdue=true', '12'],
    ['plan=Basic&unpaid=true', '2'],
    ['search=ada&status=failed', '1'],
    ['behind=true', ''],
  ] as const)
    assert.equal(await found(query === '' ? '' : `?${query}`), names, query)
  for (const [query, path, words] of [
    ['status=broken', 'status', /one or more of provisioning, running/],
    ['desired=on', 'desired', /must be one of running, stopped, deleted/],
    ['health=ill', 'health', /healthy, failing, silent, off/],
    ['driver=swarm', 'driver', /must be one of docker, process/],
    ['unpaid=maybe', 'unpaid', /must be true or false/],
    ['sort=colour', 'sort', /must be one of subdomain, status/],
    ['cursor=nonsense', 'cursor', /must be taken from the Link/],
    ['colour=red', 'colour', /is not a query parameter here/],
  ] as const) {
    const { status, body } = await fleet.admin<ProblemDocument>('GET', `/admin/instances?${query}`)
    assert.equal(status, 422, query)
    assert.equal(body.errors?.[0]?.path.split('.')[0], path, query)
    assert.match(body.errors?.[0]?.message ?? '', words)
  }
})

test('the list is sorted by every column, both ways, and pages go on after the last instance of the page before', async t => {
  const fleet = await mixedFleet(t)
  const found = asker(fleet)
  for (const [sort, names] of [
    ['subdomain', '012345'],
    ['-subdomain', '543210'],
    ['status', '130245'],
    ['desired', '130245'],
    ['version', '345012'],
    ['-version', '210543'],
    ['plan', '345021'],
    ['owner', '123450'],
    ['driver', '012345'],
    ['-disk', '045321'],
    ['backup', '234501'],
    ['created', '543210'],
    ['health', '012345'],
  ] as const) {
    assert.equal(await found(`?sort=${sort}`), names, sort)
    let paged = ''
    let next: string | undefined = `/admin/instances?sort=${sort}&limit=2`
    while (next !== undefined) {
      const { body, headers }: { body: List; headers: Headers } = await fleet.admin<List>('GET', next)
      assert.equal(body.total, 6)
      paged += short(body)
      next = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    }
    assert.equal(paged, names, `${sort}, two at a time`)
  }
  const { headers } = await fleet.admin('GET', '/admin/instances?sort=disk&limit=2&plan=none')
  const next = /<(.*)>/.exec(headers.get('link') ?? '')?.[1] ?? ''
  assert.match(next, /plan=none/, 'the filter goes along')
  const other = await fleet.admin<ProblemDocument>('GET', next.replace('sort=disk', 'sort=plan'))
  assert.equal(other.body.errors?.[0]?.message, 'belongs to sort=disk; begin again without it')
})

test('on the page, headings sort, the broken ones come first, and the filter is kept in every link', async t => {
  const fleet = await mixedFleet(t)
  const html = await page(fleet)
  assert.deepEqual(
    [...html.matchAll(/id="instance-box-0000(\d)"/g)].map(([, digit]) => digit).join(''),
    '130245',
  )
  assert.match(html, /<th scope="col" aria-sort="ascending"><a href="\/admin\/instances\?sort=-status"/)
  const basic = await page(fleet, '?plan=Basic&sort=-owner')
  assert.match(basic, /aria-sort="descending"><a href="\/admin\/instances\?plan=Basic&amp;sort=owner"/)
  assert.match(basic, /<option value="Basic" selected/)
  assert.match(basic, /hx-get="\/admin\/instances\?plan=Basic&amp;sort=-owner"/)
  assert.match(await page(fleet, '?plan=Gold'), /No instance matches the filter/)
})

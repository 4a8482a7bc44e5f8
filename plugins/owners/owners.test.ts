import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { openSqlite } from '../../src/storage/database.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import type { InstanceLimit } from '../provisioner/contract.ts'
import { type OwnerBrowser, openTown } from './owners.fixture.ts'

interface Shown {
  id: string
  subdomain: string
  status: string
  desired: string
  password?: string
  operation: { kind: string; steps: { name: string; status: string }[] } | null
}
interface Listed {
  instances: Shown[]
  limit: number
  claimable: string[]
}
const listOf = async (owner: OwnerBrowser) => (await owner.call('GET', '/instances')).json<Listed>()
const problemOf = (reply: { json<T>(): T }) => reply.json<{ type: string; detail: string }>()

test('an owner chooses a name, gets an instance and its password once, and manages it', async t => {
  const town = await openTown(t)
  const ada = await town.owner('ada')
  const front = await ada.visit('/')
  assert.equal(front.headers.location, '/instances')
  assert.match((await ada.visit('/instances')).text, /No instance yet/)
  assert.match((await ada.visit('/new')).text, /value="ada"/)

  const made = await ada.visit('/instances', { subdomain: 'Acme ' })
  assert.equal(made.status, 202)
  assert.equal(made.headers['cache-control'], 'no-store')
  const password = /class="secret">([^<]+)</.exec(made.text)?.[1] ?? ''
  assert.match(password, /^\w{5}(-\w{5}){3}$/)
  await town.reaches(ada, 'acme', 'running')
  const again = await ada.visit('/instances', { subdomain: 'acme' })
  assert.equal(again.status, 409)
  assert.match(again.text, /Go to acme/)
  assert.doesNotMatch((await ada.visit('/instances/acme')).text, new RegExp(password))

  for (const [verb, status] of [
    ['stop', 'stopped'],
    ['start', 'running'],
    ['restart', 'running'],
  ] as const) {
    const reply = await ada.visit(`/instances/acme/${verb}`, {})
    assert.equal(reply.status, 303)
    assert.equal(reply.headers.location, '/instances/acme')
    await town.reaches(ada, 'acme', status)
  }
  const reset = await ada.call('POST', '/instances/acme/reset-password', {})
  assert.equal(reset.status, 202)
  assert.notEqual(reset.json<Shown>().password, password)
  await town.reaches(ada, 'acme', 'running')

  const { body } = await town.admin('GET', '/admin/instances/acme')
  assert.equal(body.owner_email, 'ada@example.com')
  const shown = (await listOf(ada)).instances[0]
  assert.equal(shown?.id, body.id)
  assert.deepEqual(
    Object.keys(shown ?? {}).filter(key =>
      ['volume', 'image', 'driver', 'status_reason', 'password'].includes(key),
    ),
    [],
    'nothing of the host',
  )
})

test('a removed instance is kept for its owner, who restores it with its data', async t => {
  const town = await openTown(t)
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  writeFileSync(join(town.root, 'acme', 'letter'), 'dear diary')
  await ada.visit('/instances/acme/remove', {})
  await town.reaches(ada, 'acme', 'deleted')
  assert.match((await ada.visit('/instances/acme')).text, /Your data is kept/)

  const taken = await bob.call('POST', '/instances', { subdomain: 'acme' })
  assert.equal(taken.status, 409)
  assert.match(problemOf(taken).type, /subdomain-held/)
  const back = await ada.call('POST', '/instances', { subdomain: 'acme' })
  assert.equal(back.status, 202, back.text)
  await town.reaches(ada, 'acme', 'running')
  assert.ok(existsSync(join(town.root, 'acme', 'letter')))

  // Or undoes the removal, with the password that it had; but not beyond what the account may have.
  await ada.call('POST', '/instances/acme/remove', {})
  await town.reaches(ada, 'acme', 'deleted')
  const kept = (await ada.call('GET', '/instances/acme')).json<{ purge_at: string }>()
  assert.match(kept.purge_at, /^\d{4}-/)
  assert.equal((await bob.call('POST', '/instances/acme/restore', {})).status, 404)
  await ada.call('POST', '/instances', { subdomain: 'other' })
  const over = await ada.call('POST', '/instances/acme/restore', {})
  assert.match(problemOf(over).type, /instance-limit/)
  await ada.call('POST', '/instances/other/remove', {})
  const undone = await ada.visit('/instances/acme/restore', {})
  assert.equal(undone.headers.location, '/instances/acme')
  await town.reaches(ada, 'acme', 'running')
  assert.equal((await ada.call('POST', '/instances/acme/restore', {})).status, 409)
})

test('an owner can neither start a suspended instance nor remove and recreate it', async t => {
  const town = await openTown(t)
  const ada = await town.owner('ada')
  const made = await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  const { id } = made.json<Shown>()
  town.program.services.provisioner?.suspend(id, 'The last invoice is open.')
  await town.reaches(ada, 'acme', 'stopped')
  assert.match((await ada.visit('/instances/acme')).text, /The last invoice is open/)
  for (const verb of ['start', 'restart']) {
    assert.equal((await ada.call('POST', `/instances/acme/${verb}`, {})).status, 409, verb)
  }
  await ada.call('POST', '/instances/acme/remove', {})
  await town.reaches(ada, 'acme', 'deleted')
  const anew = await ada.call('POST', '/instances', { subdomain: 'acme' })
  assert.match(problemOf(anew).type, /suspended/)
  town.program.services.provisioner?.resume(id)
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
  await town.reaches(ada, 'acme', 'running')
})

test('an owner cannot see or change another’s instances; nor can a stranger; the operator is not an owner', async t => {
  const town = await openTown(t)
  const [ada, bob, stranger] = [await town.owner('ada'), await town.owner('bob'), town.browser()]
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  const id = (await listOf(ada)).instances[0]?.id ?? ''
  const before = (await town.admin('GET', '/admin/instances/acme')).body

  const tries: [string, string, unknown?][] = [
    ['GET', '/instances/acme'],
    ['GET', `/instances/${id}`],
    ['POST', '/instances/acme/start', {}],
    ['POST', '/instances/acme/stop', {}],
    ['POST', '/instances/acme/restart', {}],
    ['POST', '/instances/acme/remove', {}],
    ['POST', '/instances/acme/restore', {}],
    ['POST', '/instances/acme/reset-password', {}],
    ['POST', '/instances/acme/claim', {}],
  ]
  for (const [method, path, body] of tries) {
    const theirs = await bob.call(method, path, body)
    assert.equal(theirs.status, 404, `${method} ${path}`)
    if (!path.includes(id)) assert.doesNotMatch(theirs.text, new RegExp(`${id}|ada@`))
    assert.equal((await stranger.call(method, path, body)).status, 401)
    if (method === 'GET') assert.match((await stranger.visit(path)).headers.location ?? '', /^\/sign-in/)
    const operator = { Authorization: `Bearer a-token-that-only-the-operator-has` }
    assert.equal((await stranger.call(method, path, body, operator)).status, 401)
    const sibling = { 'Sec-Fetch-Site': 'same-site' }
    if (method === 'POST') assert.equal((await ada.call(method, path, body, sibling)).status, 403)
  }
  assert.deepEqual((await listOf(bob)).instances, [])
  for (const path of ['/instances', '/new', '/names?subdomain=x', '/account/export', '/account/leave']) {
    assert.equal((await stranger.call('GET', path)).status, 401, path)
  }
  for (const path of ['/admin/instances', '/admin/instances/acme', '/admin/new']) {
    assert.equal((await ada.call('GET', path)).status, 401, 'an owner is no operator')
  }
  assert.deepEqual((await town.admin('GET', '/admin/instances/acme')).body.operation, before.operation)
  assert.equal((await ada.call('GET', '/instances/acme')).status, 200)
})

test('an account gets one instance, even of two simultaneous requests; a plugin’s limit applies instead', async t => {
  let limit: InstanceLimit = { most: 1, by: null, larger: false }
  const pricing = definePlugin({
    name: 'pricing',
    needs: ['provisioner'],
    setup: () => ({ hooks: { 'instance-limit': () => limit } }),
  })
  const town = await openTown(t, { plugins: [pricing] })
  const ada = await town.owner('ada')
  const replies = await Promise.all(
    ['first', 'second', 'third'].map(subdomain => ada.call('POST', '/instances', { subdomain })),
  )
  assert.deepEqual(replies.map(reply => reply.status).sort(), [202, 409, 409])
  const refused = replies.find(reply => reply.status === 409)
  assert.match(refused ? problemOf(refused).type : '', /instance-limit/)
  const taken = (await listOf(ada)).instances[0]?.subdomain
  for (const [status, page] of [
    [409, await ada.visit('/instances', { subdomain: 'fourth' })],
    [200, await ada.visit('/new')],
  ] as const) {
    assert.equal(page.status, status)
    assert.match(page.text, /Your account has room for one instance\. You have one\./)
    assert.match(page.text, new RegExp(`href="/instances/${taken}#remove"`))
    assert.doesNotMatch(page.text, /name="subdomain"|href="\/billing"><\/a>|See the plans/)
  }
  const list = await ada.visit('/instances')
  assert.match(list.text, /room for one instance/)
  assert.doesNotMatch(list.text, /href="\/new"/, 'no more can be had')

  limit = { most: 2, by: 'The plan Pro', larger: true }
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'fourth' })).status, 202)
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'fifth' })).status, 409)
  assert.equal((await listOf(ada)).limit, 2)
  assert.match((await ada.visit('/instances')).text, /href="\/new">Get more/)
})

test('an instance that the operator created for an address is claimed once, by the owner who has verified that address', async t => {
  const town = await openTown(t)
  await town.provision('legacy', 'Ada@Example.com')
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  assert.deepEqual((await listOf(bob)).claimable, [])
  assert.equal((await bob.call('POST', '/instances/legacy/claim', {})).status, 404)
  assert.deepEqual(await listOf(ada), { instances: [], limit: 1, claimable: ['legacy'] })
  assert.equal((await ada.call('GET', '/instances/legacy')).status, 404, 'not before it is claimed')
  assert.match((await ada.visit('/instances')).text, /legacy was created for you/)
  const claimed = await ada.visit('/instances/legacy/claim', {})
  assert.equal(claimed.headers.location, '/instances/legacy')
  assert.equal((await ada.call('GET', '/instances/legacy')).json<Shown>().status, 'running')

  // Another person gets the address: a claimed instance keeps its owner, in retention too.
  const eve = await town.owner('eve', 'ada@example.com')
  assert.deepEqual((await listOf(eve)).claimable, [])
  await ada.call('POST', '/instances/legacy/remove', {})
  await town.reaches(ada, 'legacy', 'deleted')
  assert.equal((await eve.call('POST', '/instances', { subdomain: 'legacy' })).status, 409)
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'legacy' })).status, 202)
})

test('a look-alike of an address claims nothing', async t => {
  const town = await openTown(t)
  await town.provision('legacy', 'mark@example.com')
  // The sign of the kelvin, which becomes a plain k in lower case.
  const eve = await town.owner('eve', 'mar\u212A@example.com')
  assert.deepEqual((await listOf(eve)).claimable, [])
  assert.equal((await eve.call('POST', '/instances/legacy/claim', {})).status, 404)
  await town.admin('DELETE', '/admin/instances/legacy', { wait: 60 })
  assert.equal((await eve.call('POST', '/instances', { subdomain: 'legacy' })).status, 409)
  const mark = await town.owner('mark', 'MARK@Example.com')
  assert.equal((await mark.call('POST', '/instances', { subdomain: 'legacy' })).status, 202)
})

test('of two accounts whose addresses differ only in case, the instance goes to the one it was created for', async t => {
  const town = await openTown(t)
  await town.provision('legacy', 'Ada@example.com')
  await town.provision('nobodys', 'aDA@example.com')
  const other = await town.owner('other', 'ada@example.com')
  assert.deepEqual(
    (await listOf(other)).claimable,
    ['legacy', 'nobodys'],
    'case alone stands in nobody’s way',
  )
  const ada = await town.owner('ada', 'Ada@example.com')
  assert.deepEqual((await listOf(other)).claimable, [])
  assert.equal((await other.call('POST', '/instances/legacy/claim', {})).status, 404)
  assert.deepEqual((await listOf(ada)).claimable, ['legacy'])
  assert.equal((await ada.visit('/instances/legacy/claim', {})).headers.location, '/instances/legacy')
})

test('an account that is deleted while its instance is created keeps no instance, whichever comes first', async t => {
  const town = await openTown(t)
  for (const name of ['ada', 'bob', 'carol', 'dora']) {
    const owner = await town.owner(name)
    const [made, left] = await Promise.all([
      owner.call('POST', '/instances', { subdomain: `${name}s-box` }),
      owner.call('DELETE', '/account', { confirm: `${name}@example.com` }),
    ])
    assert.equal(left.status, 204)
    assert.ok([202, 401, 409].includes(made.status), `${made.status}`)
    const kept = await town.admin<{ desired: string }>('GET', `/admin/instances/${name}s-box`)
    if (made.status === 202) assert.equal(kept.body.desired, 'deleted')
    else assert.equal(kept.status, 404)
  }
  const ada = await town.owner('ada')
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
})

test('an owner exports the data and deletes the account after confirming the address; signing in again in time undoes it', async t => {
  const town = await openTown(t)
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await bob.call('POST', '/instances', { subdomain: 'bobs' })
  await town.reaches(ada, 'acme', 'running')
  const exported = await ada.call('GET', '/account/export')
  assert.match(exported.headers['content-disposition'] ?? '', /attachment/)
  const data = exported.json<{ account: { email: string }; instances: Shown[]; sessions: unknown[] }>()
  assert.equal(data.account.email, 'ada@example.com')
  assert.deepEqual(
    data.instances.map(each => each.subdomain),
    ['acme'],
  )
  assert.equal(data.sessions.length, 1)
  assert.doesNotMatch(exported.text, /bobs|secret_hash|secretHash|password/)

  for (const confirm of ['', 'bob@example.com', 'yes']) {
    assert.equal((await ada.call('DELETE', '/account', { confirm })).status, 422)
    assert.match((await ada.visit('/account/leave', { confirm })).text, /nothing was deleted|typed out/)
  }
  assert.equal((await ada.call('DELETE', '/account', {})).status, 422)
  assert.equal((await ada.call('GET', '/instances/acme')).json<Shown>().desired, 'running')
  const goodbye = await ada.visit('/account/leave', { confirm: 'ada@example.com' })
  assert.match(goodbye.text, /Your account is deleted/)
  assert.equal((await ada.call('GET', '/account')).status, 401)
  await eventually('the instance is removed', async () => {
    const { body } = await town.admin('GET', '/admin/instances/acme')
    return body.status === 'deleted'
  })
  assert.ok(existsSync(join(town.root, 'acme')), 'its data is kept')
  assert.equal((await bob.call('GET', '/instances/bobs')).status, 200)

  await ada.signIn('ada')
  assert.deepEqual(
    (await listOf(ada)).instances.map(each => each.subdomain),
    ['acme'],
  )
  assert.equal((await ada.call('POST', '/instances', { subdomain: 'acme' })).status, 202)
})

test('a changed email address reaches the instances, even when the event is lost', async t => {
  const root = temporaryFolder(t)
  const town = await openTown(t, { root })
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  town.provider.people.set('ada', { email: 'ada@new.example', email_verified: true })
  await ada.signIn('ada')
  const ownerEmail = async () => (await town.admin('GET', '/admin/instances/acme')).body.owner_email
  await eventually('the address follows', async () => (await ownerEmail()) === 'ada@new.example')
  // As a program leaves it that ended between the sign-in and its telling.
  const sqlite = openSqlite(join(root, '.control/longhouse.db'))
  sqlite.prepare("UPDATE provisioner_instances SET owner_email = 'ada@example.com'").run()
  sqlite.close()
  await town.program.runOnce('provisioner:follow-owners')
  assert.equal(await ownerEmail(), 'ada@new.example')
})

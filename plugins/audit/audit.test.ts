import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { setClock } from '../../src/testing/clock.ts'
import { openShop, type Shop } from '../billing/shop.fixture.ts'
import { openTown, type Town } from '../owners/owners.fixture.ts'
import { token } from '../provisioner/fleet.fixture.ts'
import { audit } from './index.ts'
import type { WireEntry } from './wire.ts'

const day = 86_400_000

const entriesOf = async (town: Town | Shop, query = ''): Promise<WireEntry[]> => {
  const { status, body } = await town.admin<{ entries: WireEntry[] }>('GET', `/admin/audit${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.entries
}
/** Who did what with which result. */
const lines = (entries: readonly WireEntry[]) =>
  entries.map(
    ({ actor, action, target, result }) => `${actor.kind} ${actor.name}: ${action} ${target}: ${result}`,
  )

test('who purged what is answered after the purge, with where it came from and how it ended', async t => {
  const town = await openTown(t, {
    plugins: [audit],
    env: { LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1' },
  })
  await town.provision('acme')
  const operator = town.browser()
  await operator.visit('/login', { token })
  const removed = await town.admin('POST', '/admin/instances/acme/purge', {
    body: { confirm: 'acme' },
    wait: 60,
    headers: { 'X-Forwarded-For': '198.51.100.7' },
  })
  assert.equal(removed.status, 200)
  const entries = await entriesOf(town, '?instance=acme')
  assert.deepEqual(lines(entries), [
    'token admin token: purge acme: done',
    'token admin token: purge acme: accepted',
    'token admin token: provision acme: done',
    'token admin token: provision acme: accepted',
  ])
  const [ended, accepted] = entries
  assert.equal(accepted?.address, '198.51.100.7')
  assert.equal(accepted.via, 'POST /admin/instances/{subdomain}/purge')
  assert.ok(accepted.request_id && accepted.instance_id && accepted.operation_id)
  assert.equal(ended?.operation_id, accepted.operation_id)
  assert.equal(removed.body.operation?.actor?.name, 'admin token')
  assert.deepEqual(
    lines(await entriesOf(town, '?instance=acme&action=purge&actor=token')),
    lines(entries).slice(0, 2),
  )
})

test('owners, sign-ins and refusals are recorded; a stranger sees nothing of it', async t => {
  const town = await openTown(t, { plugins: [audit] })
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  await ada.call('POST', '/instances/acme/stop', {})
  await town.reaches(ada, 'acme', 'stopped')
  const eve = await town.owner('eve')
  assert.equal((await eve.call('POST', '/instances/acme/start', {})).status, 404)
  assert.equal((await town.admin('POST', '/admin/instances/nobody/start', { body: {} })).status, 404)
  const guess = town.browser()
  await guess.visit('/login', { token: 'wrong-wrong-wrong-wrong' })

  const found = lines(await entriesOf(town))
  assert.deepEqual(found, [
    'visitor not signed in: POST /login : refused',
    'token admin token: POST /admin/instances/{subdomain}/start nobody: refused',
    'owner eve@example.com: GET /auth/google/callback : done',
    'owner ada@example.com: stop acme: done',
    'owner ada@example.com: stop acme: accepted',
    'owner ada@example.com: provision acme: done',
    'owner ada@example.com: provision acme: accepted',
    'owner ada@example.com: GET /auth/google/callback : done',
  ])
  for (const path of ['/admin/audit', '/admin/audit/export', '/admin/audit/verify']) {
    for (const browser of [ada, town.browser()])
      assert.ok([303, 401].includes((await browser.call('GET', path)).status), path)
  }
  // The log keeps the account's id: the address is forgotten with the account.
  const sqlite = new Database(join(town.root, '.control', 'longhouse.db'), { readonly: true })
  t.after(() => sqlite.close())
  assert.doesNotMatch(JSON.stringify(sqlite.prepare('select * from audit_entries').all()), /ada@/)
})

test('what billing and the retention timer do is recorded as theirs', async t => {
  const shop = await openShop(t, { plugins: [audit], env: { RETENTION_DAYS: '1', TRIAL_DAYS: '0' } })
  const ada = await shop.owner('ada')
  const subscription = await shop.buy(ada)
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.reaches(ada, 'acme', 'running')
  shop.stripe.state.renew(subscription, 'bad')
  await shop.deliverEvents()
  await shop.live(60)
  for (let looks = 0; looks < 48; looks++) {
    shop.clock.advance(3_600_000)
    await shop.program.runOnce('provisioner:retention')
  }
  await shop.whenIdle('acme').catch(() => null)
  const found = lines(await entriesOf(shop, '?instance=acme&limit=500'))
  assert.ok(found.includes('billing billing: suspend acme: accepted'), found.join('\n'))
  assert.ok(found.includes('billing billing: deprovision acme: accepted'), found.join('\n'))
  assert.ok(found.includes('timer provisioner:retention: purge acme: accepted'), found.join('\n'))
})

test('an entry is part of the change: without one, the other is not there', async t => {
  const town = await openTown(t, { plugins: [audit] })
  await town.provision('acme')
  const sqlite = new Database(join(town.root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  sqlite.exec(
    "create trigger no_more before insert on audit_entries begin select raise(abort, 'no more'); end",
  )
  const refused = await town.admin('DELETE', '/admin/instances/acme?purge=true')
  assert.equal(refused.status, 500)
  const { body } = await town.admin('GET', '/admin/instances/acme')
  assert.deepEqual([body.desired, body.operation?.kind], ['running', 'provision'])
})

test('entries cannot be changed; a change that goes around that is found by the check', async t => {
  const town = await openTown(t, { plugins: [audit] })
  for (let i = 0; i < 5; i++) await town.browser().visit('/login', { token })
  const verify = async () =>
    (
      await town.admin<{ entries: number; head: object; broken: { seq: number; reason: string } | null }>(
        'GET',
        '/admin/audit/verify',
      )
    ).body
  const intact = await verify()
  assert.deepEqual([intact.entries, intact.broken], [5, null])
  const sqlite = new Database(join(town.root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  for (const sql of [
    "update audit_entries set address = '' where seq = 3",
    'delete from audit_entries where seq = 5',
    'insert or replace into audit_entries select * from audit_entries where seq = 2',
  ])
    assert.throws(() => sqlite.exec(sql), /entries of the audit log cannot be/, sql)

  const around = (sql: string) => {
    const triggers = sqlite.prepare("select name, sql from sqlite_master where type = 'trigger'").all() as {
      name: string
      sql: string
    }[]
    for (const { name } of triggers) sqlite.exec(`drop trigger ${name}`)
    sqlite.exec(sql)
    for (const each of triggers) sqlite.exec(each.sql)
  }
  around('create table kept as select * from audit_entries; delete from audit_entries where seq = 5')
  assert.deepEqual((await verify()).broken, { seq: 5, reason: 'entries 5 to 5 are missing' })
  around('insert into audit_entries select * from kept where seq = 5')
  assert.equal((await verify()).broken, null)
  around("update audit_entries set address = '192.0.2.1' where seq = 3")
  assert.deepEqual((await verify()).broken, { seq: 3, reason: 'entry 3 is not what was written' })
  around('delete from audit_entries where seq = 3')
  assert.deepEqual((await verify()).broken, { seq: 3, reason: 'entry 3 is missing' })
  await town.program.runOnce('audit:verify')
  const page = await town.admin<string>('GET', '/admin/audit', { headers: { Accept: 'text/html' } })
  assert.match(page.body, /changed by something other than Longhouse/)
})

test('the list goes by cursor and by time, and is exported as JSON lines and CSV', async t => {
  const clock = setClock()
  const town = await openTown(t, { plugins: [audit], clock })
  for (let i = 0; i < 5; i++) {
    await town.browser().visit('/login', { token })
    clock.advance(day)
  }
  const seen: number[] = []
  for (let cursor: number | null = null; ; ) {
    const { body }: { body: { entries: WireEntry[]; next_cursor: number | null } } = await town.admin(
      'GET',
      `/admin/audit?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`,
    )
    seen.push(...body.entries.map(({ seq }) => seq))
    cursor = body.next_cursor
    if (cursor === null) break
  }
  assert.deepEqual(seen, [5, 4, 3, 2, 1])
  const first = (await entriesOf(town)).at(-1)
  assert.ok(first)
  const firstDay = first.at.slice(0, 10)
  assert.deepEqual(
    (await entriesOf(town, `?to=${firstDay}`)).map(({ seq }) => seq),
    [1],
  )
  assert.deepEqual((await entriesOf(town, `?from=${encodeURIComponent(first.at)}&limit=500`)).length, 5)
  const wrong = await town.admin<{ errors: object[] }>('GET', '/admin/audit?from=yesterday')
  assert.deepEqual([wrong.status, wrong.body.errors.length], [422, 1])

  const operator = town.browser()
  await operator.visit('/login', { token })
  const jsonl = await operator.call('GET', '/admin/audit/export?format=jsonl')
  const numbers = jsonl.text
    .trim()
    .split('\n')
    .map(text => (JSON.parse(text) as WireEntry).seq)
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6])
  const csv = await operator.call('GET', `/admin/audit/export?format=csv&to=${firstDay}`)
  assert.match(csv.text, /^seq,at,actor_kind,actor_id,actor_name,address,/)
  assert.equal(csv.text.trim().split('\r\n').length, 2)
})

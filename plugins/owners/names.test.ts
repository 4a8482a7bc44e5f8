import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { openTown } from './owners.fixture.ts'
import { suggestName } from './suggestion.ts'

const problemOf = (reply: { json<T>(): T }) => reply.json<{ type: string; detail: string }>()

test('a name’s availability is shown while it is typed, by page and API, also for reserved names', async t => {
  const town = await openTown(t)
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  const check = async (name: string) => {
    const reply = await bob.call('GET', `/names?subdomain=${encodeURIComponent(name)}`)
    return reply.json<{ available: boolean; reason: string | null }>()
  }
  assert.deepEqual(await check('initech'), { subdomain: 'initech', available: true, reason: null })
  for (const [name, words] of [
    ['acme', /exists already/],
    ['ab', /3 to 63/],
    ['www', /reserved/],
    ['control', /reserved/],
    ['a_b', /lowercase letters/],
    ['../etc', /lowercase letters/],
    ['xn--abc', /encoded/],
  ] as const) {
    const { available, reason } = await check(name)
    assert.equal(available, false, name)
    assert.match(reason ?? '', words)
    const post = await bob.call('POST', '/instances', { subdomain: name })
    assert.ok([409, 422].includes(post.status), `${name}: ${post.status}`)
    assert.match((await bob.visit('/instances', { subdomain: name })).text, words)
  }
  const fragment = await bob.call('GET', '/names?subdomain=initech', undefined, { 'HX-Request': 'true' })
  assert.match(fragment.text, /^<p id="name-check".*initech\.localhost is available/s)
  mkdirSync(join(town.root, 'lostbox'))
  writeFileSync(join(town.root, 'lostbox', 'longhouse.db'), '')
  const lost = await check('lostbox')
  assert.match(lost.reason ?? '', /cannot be had/)
  assert.ok(!lost.reason?.includes(town.root), 'no path of the host')
})

test('a released name is kept from others for 30 days, but not from its last owner, nor from the operator', async t => {
  let ahead = 0
  const clock = { ...systemClock, now: () => Date.now() + ahead }
  const town = await openTown(t, { clock })
  const [ada, bob] = [await town.owner('ada'), await town.owner('bob')]
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  await town.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  const early = await bob.call('POST', '/instances', { subdomain: 'acme' })
  assert.equal(early.status, 409)
  assert.match(problemOf(early).detail, /becomes available on \d{4}-\d\d-\d\d/)
  const own = await ada.call('GET', '/names?subdomain=acme')
  assert.equal(own.json<{ available: boolean }>().available, true)
  assert.equal((await town.provision('acme', 'carol@example.com')).status, 201)
  await town.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  ahead = 31 * 24 * 3_600_000
  const free = town.program.services.provisioner?.owned({ id: 'acct_bob', email: 'bob@example.com' })
  assert.equal(await free?.nameFault('acme'), null)
})

test('a suggested name is available', async () => {
  const taken = (names: string[]) => async (name: string) => (names.includes(name) ? 'taken' : null)
  const suggest = (email: string, name: string | null, names: string[] = []) =>
    suggestName({ email, name }, taken(names))
  assert.equal(await suggest('Ada.Lovelace+test@example.com', null), 'ada-lovelace')
  assert.equal(await suggest('x@example.com', 'José O’Neill'), 'jose-o-neill')
  assert.equal(await suggest('ada@example.com', null, ['ada', 'ada-2']), 'ada-3')
  assert.equal(await suggest('x@example.com', '日本'), null)
})

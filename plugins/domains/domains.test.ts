import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mail } from '../mail/index.ts'
import { openTown } from '../owners/owners.fixture.ts'
import { domains } from './index.ts'
import { type Domain, day, hour, openVillage } from './village.fixture.ts'

test('a domain is proven by its record, and then leads to the instance', async t => {
  const town = await openVillage(t)
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const claim = await town.add(ada, 'acme', 'Jobs.Acme.test.')
  assert.equal(claim.domain, 'jobs.acme.test')
  assert.equal(claim.state, 'waiting')
  assert.deepEqual(claim.proof.name, '_longhouse.jobs.acme.test')
  assert.match(claim.proof.value, /^longhouse=[0-9a-z]{32}$/)
  assert.deepEqual(claim.traffic, { type: 'CNAME', name: 'jobs.acme.test', value: 'acme.localhost' })
  assert.equal(await town.visit('jobs.acme.test'), 404)

  const early = await town.check(ada, 'acme', 'jobs.acme.test')
  assert.equal(early.json<Domain>().state, 'waiting')
  assert.equal(early.json<Domain>().finding, 'there is no such record')
  town.dns.records.set(claim.proof.name, ['longhouse=another'])
  assert.equal((await town.check(ada, 'acme', 'jobs.acme.test')).json<Domain>().state, 'waiting')
  const asked = town.dns.asked.length
  const soon = await ada.call('POST', '/instances/acme/domains/jobs.acme.test/check', {})
  assert.deepEqual([soon.status, soon.headers['retry-after']], [429, '3'])
  assert.equal(town.dns.asked.length, asked, 'no name server was asked')
  town.prove(claim)
  assert.equal((await town.check(ada, 'acme', 'jobs.acme.test')).json<Domain>().state, 'active')
  assert.equal(await town.visit('jobs.acme.test'), 200)
  assert.equal(await town.visit('JOBS.acme.test:8443'), 200)

  assert.deepEqual(await town.add(ada, 'acme', 'jobs.acme.test').then(({ proof }) => proof), claim.proof)
  assert.equal((await ada.call('DELETE', '/instances/acme/domains/jobs.acme.test')).status, 204)
  assert.equal(await town.visit('jobs.acme.test'), 404)
  assert.equal((await ada.call('DELETE', '/instances/acme/domains/jobs.acme.test')).status, 404)
  const again = await town.add(ada, 'acme', 'jobs.acme.test')
  assert.notEqual(again.proof.value, claim.proof.value, 'an old proof proves nothing')
  assert.deepEqual(
    (await town.entries()).map(({ action, detail }) => `${action} ${detail}`),
    ['add-domain', 'prove-domain', 'remove-domain', 'add-domain'].map(each => `${each} jobs.acme.test`),
  )
})

test('the task finds a proof by itself, and gives up a claim that is never proven', async t => {
  const town = await openVillage(t)
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const claim = await town.add(ada, 'acme', 'one.test')
  await town.add(ada, 'acme', 'two.test')
  await town.later(61_000)
  assert.deepEqual(
    (await town.list(ada, 'acme')).domains.map(({ state }) => state),
    ['waiting', 'waiting'],
  )
  town.prove(claim)
  await town.later(hour)
  assert.deepEqual(
    (await town.list(ada, 'acme')).domains.map(({ state }) => state),
    ['active', 'waiting'],
  )
  assert.equal(await town.visit('one.test'), 200)
  for (let days = 0; days < 8; days++) await town.later(day)
  assert.deepEqual(
    (await town.list(ada, 'acme')).domains.map(({ domain }) => domain),
    ['one.test'],
  )
  assert.ok(
    (await town.entries()).some(({ action, actor }) => action === 'expire-domain' && actor.kind === 'timer'),
  )
  const before = town.dns.asked.length
  await town.later(1000)
  assert.equal(town.dns.asked.length, before, 'what was proven just now is not asked for again')
})

test('a lost proof warns, serves on for the grace period, and then stops; the proof brings it back', async t => {
  const town = await openVillage(t)
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const claim = await town.add(ada, 'acme', 'jobs.acme.test')
  town.prove(claim)
  await town.check(ada, 'acme', 'jobs.acme.test')
  const state = async () => (await town.list(ada, 'acme')).domains[0]?.state

  for (const mood of ['failing', 'refusing'] as const) {
    town.dns.mood = mood
    for (let days = 0; days < 10; days++) await town.later(day)
    assert.equal(await state(), 'active', `a name server that is ${mood} says nothing about a proof`)
  }
  assert.match((await town.list(ada, 'acme')).domains[0]?.finding ?? '', /did not answer \(EREFUSED\)/)
  assert.deepEqual(await town.concerns(), [])

  town.dns.mood = 'well'
  town.dns.records.set(claim.proof.name, [])
  await town.later(day)
  assert.equal(await state(), 'losing')
  assert.equal(await town.visit('jobs.acme.test'), 200)
  assert.deepEqual(await town.concerns(), ['jobs.acme.test, a domain of acme, has lost its proof'])
  await town.later(hour)
  assert.deepEqual(await town.subjects(), ['jobs.acme.test will stop leading to acme'], 'one email')
  town.prove(claim)
  await town.later(hour)
  assert.equal(await state(), 'active')
  assert.deepEqual(await town.concerns(), [])

  town.dns.records.delete(claim.proof.name)
  await town.later(7 * hour)
  assert.equal(await state(), 'losing')
  town.dns.mood = 'failing'
  await town.later(8 * day)
  assert.equal(await state(), 'losing', 'the end of the grace period needs an answer, too')
  assert.equal(await town.visit('jobs.acme.test'), 200)
  town.dns.mood = 'well'
  await town.later(day)
  assert.equal(await state(), 'lost')
  assert.equal(await town.visit('jobs.acme.test'), 404)
  assert.deepEqual((await town.subjects()).slice(1), [
    'jobs.acme.test will stop leading to acme',
    'jobs.acme.test no longer leads to acme',
  ])
  town.prove(claim)
  assert.equal((await town.check(ada, 'acme', 'jobs.acme.test')).json<Domain>().state, 'active')
  assert.equal(await town.visit('jobs.acme.test'), 200)
})

test('a name has one owner: a claim blocks no one, and a proof does not take what another has', async t => {
  const town = await openVillage(t)
  const [ada, eve] = [await town.owner('ada'), await town.owner('eve')]
  await town.own(ada, 'acme')
  await town.own(eve, 'evil')
  const squat = await town.add(eve, 'evil', 'jobs.acme.test')
  const claim = await town.add(ada, 'acme', 'jobs.acme.test')
  assert.notEqual(squat.proof.value, claim.proof.value)
  town.prove(claim)
  assert.equal((await town.check(eve, 'evil', 'jobs.acme.test')).json<Domain>().state, 'waiting')
  assert.equal((await town.check(ada, 'acme', 'jobs.acme.test')).json<Domain>().state, 'active')

  town.dns.records.set(claim.proof.name, [claim.proof.value, squat.proof.value])
  const refused = await town.check(eve, 'evil', 'jobs.acme.test')
  assert.equal(refused.status, 409)
  assert.match(refused.text, /an address of another instance on this site\. Nothing was changed/)
  assert.doesNotMatch(refused.text, /acme"|"acme/)
  await town.later(hour)
  assert.equal((await town.list(eve, 'evil')).domains[0]?.state, 'waiting')
  assert.equal((await town.list(ada, 'acme')).domains[0]?.state, 'active')

  // Who owns the name now proves it; the one before is warned, and the name passes on after the grace period.
  town.prove(squat)
  await town.later(7 * hour)
  assert.equal((await town.list(ada, 'acme')).domains[0]?.state, 'losing')
  assert.equal((await town.check(eve, 'evil', 'jobs.acme.test')).status, 409)
  await ada.call('DELETE', '/instances/acme/domains/jobs.acme.test')
  assert.equal((await town.check(eve, 'evil', 'jobs.acme.test')).json<Domain>().state, 'active')

  const stranger = town.browser()
  for (const [who, browser, status] of [
    ['another owner', ada, 404],
    ['a stranger', stranger, 401],
  ] as const) {
    const at = '/instances/evil/domains'
    assert.equal((await browser.call('GET', at)).status, status, who)
    assert.equal((await browser.call('POST', at, { domain: 'x.test' })).status, status, who)
    assert.equal((await browser.call('POST', `${at}/jobs.acme.test/check`, {})).status, status, who)
    assert.equal((await browser.call('DELETE', `${at}/jobs.acme.test`)).status, status, who)
  }
})

test('bad names are refused with the field, beyond the limit nothing is added, and pages say the same', async t => {
  const town = await openVillage(t, { DOMAINS_LIMIT: '1' })
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const at = '/instances/acme/domains'
  for (const domain of [
    '*.acme.test',
    'https://acme.test',
    'acme.localhost',
    '192.0.2.1',
    'x'.repeat(2000),
  ]) {
    const reply = await ada.call('POST', at, { domain })
    assert.equal(reply.status, 422, domain)
    assert.equal(reply.json<{ errors: { path: string }[] }>().errors[0]?.path, 'domain')
    const page = await ada.visit(at, { domain })
    assert.equal(page.status, 422)
    assert.match(page.text, /aria-invalid="true"/)
  }
  assert.equal((await ada.visit(at, { domain: 'jobs.acme.test' })).status, 303)
  const full = await ada.call('POST', at, { domain: 'two.test' })
  assert.equal(full.status, 409)
  assert.match(full.text, /has 1 of at most 1/)
  const page = await ada.visit(at)
  assert.match(page.text, /_longhouse\.jobs\.acme\.test/)
  assert.match(page.text, /The limit is 1 domain\./)
  assert.equal((await ada.visit(`${at}/jobs.acme.test/check`, {})).status, 303)
  assert.equal((await ada.visit(`${at}/jobs.acme.test/remove`, {})).status, 303)
  assert.deepEqual((await town.list(ada, 'acme')).domains, [])
})

test('the operator adds domains and answers for them; a transfer takes them away, a removal keeps them', async t => {
  const town = await openVillage(t)
  const ada = await town.owner('ada')
  await town.own(ada, 'acme')
  const at = '/admin/instances/acme/domains'
  const made = await town.admin<Domain>('POST', at, { body: { domain: 'intra.test', vouched: true } })
  assert.deepEqual([made.status, made.body.state, made.body.vouched], [201, 'active', true])
  assert.equal(await town.visit('intra.test'), 200)
  await town.later(day)
  assert.equal((await town.list(ada, 'acme')).domains[0]?.state, 'active', 'no proof is looked for')
  assert.equal(
    (await ada.call('POST', '/instances/acme/domains', { domain: 'b.test', vouched: true })).status,
    422,
  )
  const claimed = await town.admin<Domain>('POST', at, { body: { domain: 'b.test' } })
  assert.deepEqual([claimed.status, claimed.body.state, claimed.body.vouched], [201, 'waiting', false])

  await ada.call('POST', '/instances/acme/remove', {})
  await town.reaches(ada, 'acme', 'deleted')
  assert.equal(await town.visit('intra.test'), 404)
  await ada.call('POST', '/instances/acme/restore', {})
  await town.reaches(ada, 'acme', 'running')
  assert.equal(await town.visit('intra.test'), 200)

  const given = await town.admin('POST', '/admin/instances/acme/transfer', {
    body: { owner_email: 'bob@example.com' },
    wait: 60,
  })
  assert.ok(given.status < 300, JSON.stringify(given.body))
  assert.equal(await town.visit('intra.test'), 404)
  const after = await town.admin<{ domains: Domain[] }>('GET', at)
  assert.deepEqual(after.body.domains, [])
})

test('settings that are malformed are named', async t => {
  await assert.rejects(
    openTown(t, {
      plugins: [mail, domains],
      env: { DOMAINS_RESOLVERS: 'ns1.example.com', DOMAINS_GRACE: 'long' },
    }),
    /DOMAINS_GRACE: must be a duration[\s\S]*DOMAINS_RESOLVERS: must be addresses of name servers/,
  )
})

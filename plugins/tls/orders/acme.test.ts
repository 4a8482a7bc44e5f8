import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { it } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { startEdge } from '../../router/edge.fixture.ts'
import { tls } from '../index.ts'
import { noPebble, startPebble } from './pebble.fixture.ts'
import { secured, shown, startSite } from './site.fixture.ts'

const skip = { skip: noPebble }

const stopped = { state: 'stopped', instanceId: 'inst_a' } as const

it(
  'orders a certificate for the control plane, each instance and each domain, and renews it',
  skip,
  async t => {
    const pebble = await startPebble(t)
    const site = await startSite(t, pebble)
    const first = await secured(site, pebble, 'control.example.test')
    assert.match(first, /^DNS:control\.example\.test /)
    await secured(site, pebble, 'example.test')
    // A new instance and a domain are secured by the next round.
    site.edge.router.set('acme', stopped)
    site.edge.router.setRule('acme', 'hosts', ['shop.example'])
    await site.renew()
    await secured(site, pebble, 'acme.example.test')
    await secured(site, pebble, 'shop.example')
    const files = readdirSync(site.folder)
    assert.equal(files.filter(name => name.endsWith('.pem')).length, 4)
    for (const name of files) {
      const { mode } = statSync(join(site.folder, name))
      assert.equal(mode & 0o077, 0, name)
    }
    assert.deepEqual(readdirSync(join(site.folder, 'challenges')), [])
    assert.deepEqual(await site.concerns(), [])
    // In the last third of their time, they are replaced.
    site.clock.step(2 * 365 * 86_400_000)
    await site.renew()
    assert.equal(await shown(site, pebble, 'control.example.test'), first)
    site.clock.step(2 * 365 * 86_400_000)
    await site.renew()
    await secured(site, pebble, 'control.example.test', first)
  },
)

it('orders a wildcard by the operator’s program, and asks nothing of instances', skip, async t => {
  const pebble = await startPebble(t)
  const calls = join(temporaryFolder(t), 'calls')
  const hook = join(temporaryFolder(t), 'hook')
  const script = `#!${process.execPath}
const [action, record, value] = process.argv.slice(2)
require('fs').appendFileSync(${JSON.stringify(calls)}, JSON.stringify([action, record, Object.keys(process.env).length]) + '\\n')
const path = action === 'add' ? 'set-txt' : 'clear-txt'
fetch('${pebble.dnsManagement}/' + path, { method: 'POST', body: JSON.stringify({ host: record + '.', value }) })
  .then(answer => process.exit(answer.ok ? 0 : 1))
`
  writeFileSync(hook, script)
  chmodSync(hook, 0o755)
  const site = await startSite(t, pebble, { ACME_DNS_HOOK: hook })
  site.edge.router.set('acme', stopped)
  assert.match(await secured(site, pebble, 'acme.example.test'), /DNS:\*\.example\.test/)
  await secured(site, pebble, 'example.test')
  assert.deepEqual(
    readdirSync(site.folder).filter(name => name.endsWith('.pem')),
    ['example.test.pem'],
  )
  const called = readFileSync(calls, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    called.map(([action, record]) => [action, record]),
    ['add', 'add', 'remove', 'remove'].map(action => [action, '_acme-challenge.example.test']),
  )
  assert.ok(called.every(([, , variables]) => variables <= 4))
})

it('orders for others while one order is slow', skip, async t => {
  const pebble = await startPebble(t)
  const root = temporaryFolder(t)
  const [hook, go] = [join(root, 'hook'), join(root, 'go')]
  writeFileSync(hook, `#!/bin/sh\nwhile [ ! -e ${go} ]; do sleep 0.1; done\nexit 1\n`)
  chmodSync(hook, 0o755)
  const site = await startSite(t, pebble, { ACME_DNS_HOOK: hook }, { orders: false })
  site.edge.router.set('acme', stopped)
  const hosts = Array.from({ length: 6 }, (_, i) => `shop${i}.example`)
  site.edge.router.setRule('acme', 'hosts', hosts)
  site.clock.advance(10_000)
  for (const host of hosts) await secured(site, pebble, host)
  assert.deepEqual(await site.concerns(), [], 'the order of the wildcard is still in progress')
  writeFileSync(go, '')
  await site.renew()
  assert.deepEqual(
    (await site.concerns()).map(({ kind, subject }) => [kind, subject]),
    [['certificate-order-failed', 'example.test']],
  )
})

it(
  'reports an order that failed, waits before the next, and goes on when the authority is back',
  skip,
  async t => {
    const pebble = await startPebble(t)
    pebble.kill()
    const site = await startSite(t, pebble)
    const concern = async () =>
      (await site.concerns()).find(({ subject }) => subject === 'control.example.test')
    const found = await concern()
    assert.equal(found?.kind, 'certificate-order-failed')
    assert.equal(found?.urgency, 'notice')
    assert.match(found?.detail ?? '', /^The authority cannot be reached at https:.* It is tried again at 20/)
    assert.doesNotMatch(await shown(site, pebble, 'control.example.test'), /^DNS/)
    await pebble.start()
    site.clock.step(4 * 60_000)
    await site.renew()
    assert.equal((await concern())?.detail, found?.detail)
    site.clock.step(2 * 60_000)
    await site.renew()
    assert.equal(await concern(), undefined)
  },
)

it('says what the authority says when it refuses a host, and still serves the others', skip, async t => {
  const pebble = await startPebble(t, { domainBlocklist: ['blocked.example'] })
  const site = await startSite(t, pebble)
  site.edge.router.set('acme', stopped)
  site.edge.router.setRule('acme', 'hosts', ['blocked.example', 'shop.example'])
  await site.renew()
  await secured(site, pebble, 'shop.example')
  const concerns = await site.concerns()
  assert.deepEqual(
    concerns.map(({ kind, subject }) => [kind, subject]),
    [['certificate-order-failed', 'blocked.example']],
  )
  assert.match(concerns[0]?.detail ?? '', /blocked/i)
  // A domain that is gone is forgotten.
  site.edge.router.setRule('acme', 'hosts', ['shop.example'])
  await site.renew()
  assert.deepEqual(await site.concerns(), [])
  // The certificate of another one stays until it expires, and that is no one's concern.
  site.edge.router.setRule('acme', 'hosts', [])
  site.clock.step(1820 * 86_400_000)
  const expiring = (await site.concerns()).map(({ subject }) => basename(subject ?? ''))
  assert.deepEqual(expiring.toSorted(), [
    'acme.example.test.pem',
    'control.example.test.pem',
    'example.test.pem',
  ])
  assert.ok(readdirSync(site.folder).includes('shop.example.pem'))
})

it('ties its account to one that the authority knows', skip, async t => {
  const key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
  const pebble = await startPebble(t, {
    externalAccountBindingRequired: true,
    externalAccountMACKeys: { 'kid-1': key },
  })
  const site = await startSite(t, pebble, { ACME_EAB_KEY_ID: 'kid-1', ACME_EAB_KEY: key })
  await secured(site, pebble, 'control.example.test')
})

it('names every fault of the settings', async () => {
  const acme = { TLS_MODE: 'acme', TLS_PORT: '0' }
  for (const [env, fault] of [
    [
      { ...acme, ACME_DIRECTORY: 'http://acme.example' },
      /ACME_DIRECTORY: must be letsencrypt, .* or the https/,
    ],
    [{ ...acme, ACME_EMAIL: 'operator' }, /ACME_EMAIL: must be an email address/],
    [{ ...acme, ACME_EAB_KEY_ID: 'kid' }, /ACME_EAB_KEY: must be set too/],
    [{ ...acme, ACME_EAB_KEY: 'abc' }, /ACME_EAB_KEY_ID: must be set too/],
    [{ ...acme, ACME_DNS_HOOK: '/none' }, /ACME_DNS_HOOK: must be the absolute path/],
    [{ ...acme, ACME_DNS_HOOK: 'hook' }, /ACME_DNS_HOOK: must be the absolute path/],
  ] as const) {
    await assert.rejects(startEdge(env, undefined, [tls]), fault)
  }
})

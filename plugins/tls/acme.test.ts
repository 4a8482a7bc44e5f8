import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { Concern } from '../../src/kernel/concern.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { type ManualClock, manualClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type Edge, startEdge } from '../router/edge.fixture.ts'
import { AcmeAuthority } from './authority.ts'
import { CertificateFolder } from './certificate-folder.ts'
import { tls } from './index.ts'
import { noPebble, type Pebble, startPebble } from './pebble.fixture.ts'

const skip = { skip: noPebble }

interface Site {
  edge: Edge
  clock: ManualClock
  /** The folder of certificates. */
  folder: string
  concerns(): Promise<readonly Concern[]>
  /** Does one round of orders, after the one that is going on. */
  renew(): Promise<void>
}

async function startSite(t: TestContext, pebble: Pebble, env: Record<string, string> = {}): Promise<Site> {
  const root = temporaryFolder(t)
  const clock = manualClock(Date.now())
  let concerns: Site['concerns'] | undefined
  const watching = definePlugin({
    name: 'watching',
    setup: context => {
      concerns = context.concerns
      return {}
    },
  })
  const settings = {
    LONGHOUSE_DOMAIN: 'example.test',
    LONGHOUSE_DATA_ROOT: root,
    LONGHOUSE_PORT: String(pebble.httpPort),
    TLS_MODE: 'acme',
    TLS_PORT: '0',
    ACME_DIRECTORY: pebble.directory,
    ACME_EMAIL: 'operator@example.test',
    ACME_DNS_WAIT: '0ms',
    ...env,
  }
  const edge = await startEdge(settings, clock, [tls, watching])
  t.after(() => edge.stop())
  if (!concerns) throw new Error('no one watches')
  const renew = () => edge.runOnce('tls:renew')
  await renew()
  return { edge, clock, folder: join(root, '.control', 'certificates'), concerns, renew }
}

/** The names and the serial of the certificate that a client is shown, if it leads to the authority; else why not. */
async function shown({ edge }: Site, pebble: Pebble, host: string): Promise<string> {
  return await new Promise(resolve => {
    const port = edge.securePort as number
    const socket = connect({ host: '127.0.0.1', port, servername: host, ca: pebble.root })
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      resolve(`${certificate?.subjectAltName} ${certificate?.serialNumber}`)
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
  })
}

/** What a client of a host is shown once the listener has looked, which it does every two seconds. */
async function secured(site: Site, pebble: Pebble, host: string, than = ''): Promise<string> {
  return await eventually(`a certificate for ${host}`, async () => {
    const found = await shown(site, pebble, host)
    if (found.startsWith('DNS:') && found !== than) return found
    throw new Error(`a client of ${host} got ${found}`)
  })
}

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

it('stops an order at once, and takes back what it set', skip, async t => {
  const pebble = await startPebble(t)
  const root = temporaryFolder(t)
  const calls = join(root, 'calls')
  const hook = join(root, 'hook')
  writeFileSync(hook, `#!/bin/sh\necho "$1 $2" >> ${calls}\n`)
  chmodSync(hook, 0o755)
  const folder = new CertificateFolder(join(root, 'certificates'))
  const externalAccount = null
  const settings = {
    directoryUrl: pebble.directory,
    // Without an email there is nothing to change of an account that is opened again.
    email: undefined,
    externalAccount,
    dnsHook: hook,
    dnsWaitMs: 1,
  }
  const stopping = () => {
    const controller = new AbortController()
    const sleep = async () => controller.abort()
    const authority = new AcmeAuthority({ settings, folder, now: Date.now, sleep })
    return { controller, authority }
  }
  const byDns = stopping()
  const wildcard = { name: 'example.test', hosts: ['*.example.test'], by: 'dns-01' } as const
  await assert.rejects(byDns.authority.order(wildcard, byDns.controller.signal), { name: 'AbortError' })
  const record = '_acme-challenge.example.test'
  assert.equal(readFileSync(calls, 'utf8'), `add ${record}\nremove ${record}\n`)
  // The authority asks, gets no answer, and does not say how it ended.
  const byHttp = stopping()
  const silent = createServer(() => byHttp.controller.abort())
  t.after(() => silent.close().closeAllConnections())
  await new Promise<void>(done => silent.listen(pebble.httpPort, done))
  const host = { name: 'shop.example', hosts: ['shop.example'], by: 'http-01' } as const
  await assert.rejects(byHttp.authority.order(host, byHttp.controller.signal), { name: 'AbortError' })
  assert.deepEqual(readdirSync(folder.challenges), [])
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

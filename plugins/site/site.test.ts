import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressSet } from '../../src/http/address.ts'
import { type Environment, parseConfig } from '../../src/kernel/config.ts'
import { longhouse } from '../../views/brand.tsx'
import { labelOf, type Site, siteUrl } from './contract.ts'
import { siteConfig } from './index.ts'

function siteOf(env: Environment): Site {
  const { config, faults } = parseConfig(siteConfig, env)
  assert.deepEqual(faults, [])
  return config as Site
}

test('the defaults suit a laptop', () => {
  const site = siteOf({})
  assert.deepEqual(
    { ...site, dataRoot: '' },
    {
      domain: 'localhost',
      host: '127.0.0.1',
      port: 8080,
      publicUrl: null,
      dataRoot: '',
      routerMode: 'direct',
      tls: null,
      proxyProtocol: [],
      bodyRate: 500,
      hstsSeconds: 31_536_000,
      drainGraceMs: 5000,
      trustedProxies: [],
      production: false,
      brand: longhouse,
    },
  )
  assert.ok(site.dataRoot.startsWith('/') && site.dataRoot.endsWith('/data'))
})

test('URLs have the public scheme and port', () => {
  const cases: [Environment, string][] = [
    [{}, 'http://shop.localhost:8080'],
    [{ LONGHOUSE_PORT: '80' }, 'http://shop.localhost'],
    [{ LONGHOUSE_PORT: '443' }, 'http://shop.localhost:443'],
    [{ LONGHOUSE_PUBLIC_URL: 'https://control.localhost' }, 'https://shop.localhost'],
    [{ LONGHOUSE_PUBLIC_URL: 'https://control.localhost:443/' }, 'https://shop.localhost'],
    [{ LONGHOUSE_PUBLIC_URL: 'https://control.localhost:8443' }, 'https://shop.localhost:8443'],
    [{ LONGHOUSE_PUBLIC_URL: 'https://control.localhost:80' }, 'https://shop.localhost:80'],
    [{ LONGHOUSE_PUBLIC_URL: 'http://control.localhost' }, 'http://shop.localhost'],
    [
      { LONGHOUSE_PUBLIC_URL: 'https://control.example.com', LONGHOUSE_DOMAIN: 'example.com' },
      'https://shop.example.com',
    ],
  ]
  for (const [env, url] of cases) assert.equal(siteUrl(siteOf(env), 'shop'), url, JSON.stringify(env))
})

test('the label is what precedes our domain, and null for other hosts', () => {
  const site = siteOf({ LONGHOUSE_DOMAIN: 'example.com' })
  const cases: [string, string | null][] = [
    ['shop.example.com', 'shop'],
    ['SHOP.Example.COM:8080', 'shop'],
    ['shop.example.com.', 'shop'],
    ['shop.example.com.:443', 'shop'],
    ['a.b.example.com', 'a.b'],
    ['example.com', ''],
    ['example.com:80', ''],
    ['.example.com', null],
    ['evilexample.com', null],
    ['shop.example.com.evil.net', null],
    ['localhost', null],
    ['[::1]:8080', null],
    ['127.0.0.1', null],
    ['', null],
  ]
  for (const [host, label] of cases) assert.equal(labelOf(site, host), label, host)
})

test('malformed settings are named, all at once', () => {
  const bad: Record<string, string[]> = {
    LONGHOUSE_DOMAIN: [
      'Example.com',
      'https://example.com',
      'example.com:80',
      '-a.com',
      'a..b',
      'a b',
      '.',
      'x'.repeat(64),
    ],
    LONGHOUSE_PORT: ['http', '70000'],
    LONGHOUSE_PUBLIC_URL: [
      'control.example.com',
      'ftp://x',
      'https://',
      'https://x/path',
      'https://x?q',
      'https://user:pass@localhost',
      'https://x:99999',
      'http://:80',
      'https://a b',
    ],
    LONGHOUSE_TRUSTED_PROXIES: ['proxy', '10.0.0.0/40'],
    LOG_LEVEL: ['loud'],
  }
  for (const [name, texts] of Object.entries(bad)) {
    for (const text of texts) {
      const { faults = [] } = parseConfig(siteConfig, { [name]: text })
      assert.equal(faults.length, 1, `${name}=${text}: ${faults}`)
      assert.match(faults[0] ?? '', new RegExp(`^${name}\\b.*(must be|is not an address|is not of)`), text)
    }
  }
  const all = Object.fromEntries(Object.entries(bad).map(([name, [text]]) => [name, text]))
  assert.equal(parseConfig(siteConfig, all).faults.length, Object.keys(bad).length)
})

test('the public URL must be within the domain', () => {
  const env = { LONGHOUSE_DOMAIN: 'example.com', LONGHOUSE_PUBLIC_URL: 'https://control.example.net' }
  assert.deepEqual(parseConfig(siteConfig, env).faults, [
    'LONGHOUSE_PUBLIC_URL: must name control.example.com, as LONGHOUSE_DOMAIN says',
  ])
})

test('ROUTER_MODE=behind trusts a proxy on this machine', () => {
  const site = siteOf({ ROUTER_MODE: 'behind', LONGHOUSE_TRUSTED_PROXIES: '10.0.0.1' })
  assert.deepEqual(site.trustedProxies, ['10.0.0.1', '127.0.0.0/8', '::1'])
})

test('a name stands for the ranges of a kind of proxy, among addresses', () => {
  const of = (text: string) => siteOf({ LONGHOUSE_TRUSTED_PROXIES: text }).trustedProxies
  assert.deepEqual(of('loopback, 10.1.2.3,loopback'), ['127.0.0.0/8', '::1', '10.1.2.3'])
  const trusted: Record<string, [yes: string[], no: string[]]> = {
    cloudflare: [
      ['173.245.48.1', '104.27.255.254', '2606:4700::1', '2a06:98c7::1'],
      ['104.28.0.1', '10.0.0.1', '2a06:98c8::1', '127.0.0.1'],
    ],
    // Instances are on networks of their own, beginning with 172.18.
    docker: [
      ['172.17.0.1', '::ffff:172.17.3.4'],
      ['172.18.0.2', '192.168.1.1'],
    ],
    loopback: [['127.0.0.1', '::1'], ['10.0.0.1']],
    private: [
      ['10.1.2.3', '172.31.0.1', '192.168.0.1', 'fd00::1'],
      ['172.32.0.1', '8.8.8.8', '127.0.0.1'],
    ],
  }
  for (const [name, [yes, no]] of Object.entries(trusted)) {
    const set = addressSet(of(name))
    assert.deepEqual(set.faults, [], name)
    for (const address of yes) assert.ok(set.has(address), `${name} has ${address}`)
    for (const address of no) assert.ok(!set.has(address), `${name} has not ${address}`)
  }
})

test('an unknown name of proxies is a fault that lists the known ones', () => {
  for (const name of ['cloudfare', 'Cloudflare', 'toString']) {
    const env = { LONGHOUSE_TRUSTED_PROXIES: `10.0.0.1,${name}` }
    assert.deepEqual(parseConfig(siteConfig, env).faults, [
      `LONGHOUSE_TRUSTED_PROXIES: "${name}" is not an address or range such as 10.0.0.1 or 10.0.0.0/8, nor one of the names cloudflare, docker, loopback, private`,
    ])
  }
})

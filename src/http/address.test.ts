import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressGroup,
  addressNetwork,
  addressSet,
  clientAddress,
  isLoopback,
  plainAddress,
} from './address.ts'

test('a set contains addresses and ranges of both families', () => {
  const set = addressSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1'])
  assert.deepEqual(set.faults, [])
  for (const inside of ['10.255.0.1', '192.0.2.7', '::ffff:10.0.0.1', '2001:db8:9::1', '::1']) {
    assert.ok(set.has(inside), inside)
  }
  for (const outside of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::2', 'fe80::1%eth0', 'x', '']) {
    assert.ok(!set.has(outside), outside)
  }
})

test('every invalid entry is named', () => {
  const bad = [
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.example',
    '::1/129',
    '10.0.0.1/8/8',
    '10.0.0.1/',
    '1.2.3.4/-1',
  ]
  const { faults } = addressSet(['10.0.0.1', ...bad])
  assert.equal(faults.length, bad.length)
  for (const [i, entry] of bad.entries()) assert.ok(faults[i]?.startsWith(`"${entry}"`), entry)
})

test('the client is the right-most address that was not added by a trusted proxy', () => {
  const proxies = addressSet(['10.0.0.0/8', '2001:db8::1'])
  const cases: [peer: string, forwarded: string | undefined, client: string][] = [
    ['192.0.2.7', undefined, '192.0.2.7'],
    ['::ffff:192.0.2.7', undefined, '192.0.2.7'],
    ['192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', ' 198.51.100.1 ', '198.51.100.1'],
    ['10.0.0.1', '203.0.113.66, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '203.0.113.66, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['2001:db8::1', '2001:db8:f::9', '2001:db8:f::9'],
    ['10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['10.0.0.1', '198.51.100.1:50001', '198.51.100.1'],
    ['10.0.0.1', '203.0.113.66, 198.51.100.1:50001, 10.0.0.2:80', '198.51.100.1'],
    ['10.0.0.1', '[2001:db8::7]:50001', '2001:db8::7'],
    ['10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['10.0.0.1', '"[2001:db8::7]:50001"', '2001:db8::7'],
    ['10.0.0.1', '[::ffff:198.51.100.1]:50001', '198.51.100.1'],
    ['10.0.0.1', '2001:db8::7', '2001:db8::7'],
    ['10.0.0.1', '[fe80::1%eth0]:80', 'fe80::1'],
    ['10.0.0.1', '198.51.100.1:', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1:123456', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.300:80', '10.0.0.1'],
    ['10.0.0.1', '[198.51.100.1', '10.0.0.1'],
    ['10.0.0.1', '[]:80', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.66, ', '10.0.0.1'],
  ]
  for (const [peer, forwarded, client] of cases) {
    assert.equal(clientAddress(peer, forwarded, proxies), client, `${peer} ${forwarded}`)
  }
})

test('addresses are grouped by household', () => {
  assert.equal(addressGroup('192.0.2.7'), '192.0.2.7')
  assert.equal(addressGroup('::ffff:192.0.2.7'), '192.0.2.7')
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:0DB8:0001:0002:3:4:5:6', '2001:db8:1:2:3::']
  for (const address of same) assert.equal(addressGroup(address), '2001:db8:1:2::/64', address)
  assert.equal(addressGroup('2001:db8::1'), '2001:db8:0:0::/64')
  assert.equal(addressGroup('2001:db8:0:0:1::'), '2001:db8:0:0::/64')
  assert.equal(addressGroup('::1'), '0:0:0:0::/64')
  assert.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
})

test('loopback names are distinguished from names that only start like one', () => {
  for (const here of ['localhost', 'control.localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    assert.ok(isLoopback(here), here)
  for (const there of [
    '127.example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1',
    '[::2]',
    '',
  ])
    assert.ok(!isLoopback(there), there)
})

test('an address’s network is about the size of a provider’s', () => {
  for (const [address, network] of [
    ['203.0.113.7', '203.0.0.0/16'],
    ['::ffff:203.0.113.7', '203.0.0.0/16'],
    ['2001:db8:1:2::7', '2001:db8::/32'],
    ['2a01::1', '2a01:0::/32'],
    ['unknown', 'unknown'],
  ] as const)
    assert.equal(addressNetwork(address), network)
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readProxyHeader } from './header.ts'

const signature = '0d0a0d0a000d0a515549540a'
const binary = (hex: string) => Buffer.from(signature + hex.replaceAll(' ', ''), 'hex')
const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1')
const four = binary('21 11 000c c6336407 0a000001 d431 01bb')
const six = binary(`21 21 0024 ${'20010db8'}${'0'.repeat(23)}7 ${'0'.repeat(31)}1 d431 01bb`)

it('reads the client of a header of either version, at whatever byte it is cut', () => {
  for (const [bytes, address] of [
    [line('PROXY TCP4 198.51.100.7 10.0.0.1 54321 443'), '198.51.100.7'],
    [line('PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 54321 443'), '2001:db8::7'],
    [
      line(
        'PROXY TCP6 ffff:f...f ::1 1 1'
          .replace('ffff:f...f', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')
          .replace(' 1 1', ' 54321 1'),
      ),
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
    [four, '198.51.100.7'],
    [six, '2001:db8::7'],
    [binary('21 11 0012 c6336407 0a000001 d431 01bb 040003616263'), '198.51.100.7'],
  ] as const) {
    for (let length = 0; length < bytes.length; length++) {
      assert.deepEqual(readProxyHeader(bytes.subarray(0, length)), { kind: 'partial' }, `${length}`)
    }
    const expected = { kind: 'client', client: { address, port: 54321 }, length: bytes.length }
    assert.deepEqual(readProxyHeader(bytes), expected)
    assert.deepEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')])), expected)
  }
})

it('reads a connection of the proxy’s own', () => {
  for (const bytes of [
    line('PROXY UNKNOWN'),
    line('PROXY UNKNOWN ffff::1 ffff::2 1 2'),
    binary('20 00 0000'),
    binary('20 11 000c c6336407 0a000001 d431 01bb'),
    binary('21 00 0004 00000000'),
  ]) {
    assert.deepEqual(readProxyHeader(bytes), { kind: 'proxy', length: bytes.length })
  }
})

it('refuses everything else', () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from('PROXX'),
    Buffer.from('\x16\x03\x01'),
    line('PROXY TCP4 198.51.100.7 10.0.0.1 54321'),
    line('PROXY TCP4 198.51.100.7 10.0.0.1 54321 443 1'),
    line('PROXY TCP4 198.51.100.07 10.0.0.1 54321 443'),
    line('PROXY TCP4 198.51.100.256 10.0.0.1 54321 443'),
    line('PROXY TCP4 ::1 ::1 54321 443'),
    line('PROXY TCP6 198.51.100.7 10.0.0.1 54321 443'),
    line('PROXY TCP6 fe80::1%eth0 ::1 54321 443'),
    line('PROXY TCP4 198.51.100.7 10.0.0.1 65536 443'),
    line('PROXY TCP4 198.51.100.7 10.0.0.1 054321 443'),
    line('PROXY TCP4 198.51.100.7 10.0.0.1 +1 443'),
    line('PROXY TCP4  198.51.100.7 10.0.0.1 54321 443'),
    line('PROXY UDP4 198.51.100.7 10.0.0.1 54321 443'),
    line('proxy TCP4 198.51.100.7 10.0.0.1 54321 443'),
    line(`PROXY UNKNOWN ${'x'.repeat(100)}`),
    Buffer.from(`PROXY TCP4 ${'1'.repeat(96)}`),
    binary('11 11 000c c6336407 0a000001 d431 01bb'),
    binary('22 11 000c c6336407 0a000001 d431 01bb'),
    binary('21 12 000c c6336407 0a000001 d431 01bb'),
    binary('21 31 00d8'),
    binary('21 11 000b'),
    binary('21 21 0023'),
    binary('21 11 ffff'),
    Buffer.from(`${signature.slice(0, 22)}0b21`, 'hex'),
  ]) {
    assert.equal(readProxyHeader(bytes).kind, 'malformed', bytes.toString('latin1'))
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerOptions } from './container.ts'

const settings = {
  mode: 'port',
  network: 'longhouse',
  domain: 'localhost',
  limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 256 },
  user: { uid: 10001, gid: 10001 },
  trustedProxies: [],
} as const
const spec = {
  id: 'inst_1',
  subdomain: 'acme',
  ownerEmail: 'ada@example.com',
  image: 'longhouse-runtime',
  imageId: null,
  volume: '/data/acme',
  passwordHash: 'x',
  publicUrl: 'https://acme.example.com',
  timezone: 'UTC',
  stopGraceMs: 10_000,
  environment: {},
}

test('an instance with its own limits gets a container with them, different from one without', () => {
  const usual = containerOptions({ ...spec, limits: null }, settings, 'sha256:1')
  const own = containerOptions(
    { ...spec, limits: { memoryBytes: 2 * 1024 ** 3, cpus: 2.5 } },
    settings,
    'sha256:1',
  )
  const told = ({ HostConfig }: typeof usual) => [
    HostConfig?.Memory,
    HostConfig?.MemorySwap,
    HostConfig?.NanoCpus,
    HostConfig?.PidsLimit,
  ]
  assert.deepEqual(told(usual), [512 * 1024 ** 2, 512 * 1024 ** 2, 1e9, 256])
  assert.deepEqual(told(own), [2 * 1024 ** 3, 2 * 1024 ** 3, 2.5e9, 256])
  assert.notEqual(usual.Labels['longhouse.spec'], own.Labels['longhouse.spec'])
})

test('a container runs in the chosen runtime; without a choice, in the default one of the engine', () => {
  const usual = containerOptions({ ...spec, limits: null }, settings, 'sha256:1')
  const boxed = containerOptions({ ...spec, limits: null }, { ...settings, runtime: 'runsc' }, 'sha256:1')
  assert.deepEqual([usual.HostConfig?.Runtime, boxed.HostConfig?.Runtime], [undefined, 'runsc'])
  assert.equal(containerOptions({ ...spec, pids: 64, limits: null }, settings, '').HostConfig?.PidsLimit, 64)
})

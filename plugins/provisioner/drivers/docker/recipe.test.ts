import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstanceSpec } from '../../driver.ts'
import type { ContainerSettings } from './container.ts'
import { containerOptions, containerRecipe } from './container.ts'
import { createDockerDriver, defaultLimits } from './docker.ts'

const settings: ContainerSettings = {
  mode: 'port',
  network: 'longhouse',
  domain: 'localhost',
  limits: defaultLimits,
  user: { uid: 10001, gid: 10001 },
  trustedProxies: [],
}
const driverOf = (changed: Partial<ContainerSettings> = {}) =>
  createDockerDriver({ ...settings, ...changed, socketPath: '/nowhere' })

const spec = (name: string): InstanceSpec => ({
  id: `inst_${name}`,
  subdomain: name,
  ownerEmail: `${name}@example.com`,
  image: 'longhouse-runtime:1',
  imageId: null,
  volume: `/data/${name}`,
  passwordHash: `hash of ${name}`,
  publicUrl: `http://${name}.localhost`,
  timezone: 'UTC',
  stopGraceMs: 1000,
  limits: null,
  environment: {},
})

/** Everything in it, each by its path. */
function leaves(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path}=${JSON.stringify(value)}`]
  return Object.entries(value).flatMap(([key, each]) => leaves(each, `${path}/${key}`))
}

test('a changed recipe marks instances as outdated', () => {
  assert.equal(driverOf().settings.recipe, driverOf().settings.recipe)
  for (const changed of [
    { limits: { ...defaultLimits, pids: 7 } },
    { user: { uid: 1, gid: 1 } },
    { mode: 'labels' as const },
    { network: 'other' },
  ])
    assert.notEqual(driverOf(changed).settings.recipe, driverOf().settings.recipe, JSON.stringify(changed))
  assert.equal(driverOf().settings.recipe, containerRecipe(settings))
})

test('the recipe holds everything that instances have in common, and nothing of a single one', () => {
  const [one, other] = ['ada', 'bob'].map(
    name => new Set(leaves(containerOptions(spec(name), settings, 'sha256:1'))),
  )
  const shared = [...(one ?? [])].filter(leaf => other?.has(leaf))
  const said = shared.join('\n')
  for (const part of [
    '/HostConfig/ReadonlyRootfs=true',
    '/HostConfig/CapDrop/0="ALL"',
    '/HostConfig/SecurityOpt/0="no-new-privileges"',
    '/HostConfig/Tmpfs//tmp=',
    '/HostConfig/Mounts/0/Target="/data"',
    '/HostConfig/PidsLimit=256',
    '/NetworkingConfig/EndpointsConfig/longhouse/IPAMConfig/LinkLocalIPs/0="169.254.169.254"',
  ])
    assert.ok(said.includes(part), part)
  const restOf = (name: string) =>
    leaves(containerOptions(spec(name), settings, 'sha256:1')).filter(leaf => !shared.includes(leaf))
  for (const leaf of restOf('ada'))
    assert.match(leaf, /Hostname|\/Env\/|\/Labels\/|Mounts\/0\/Source/, 'only this differs between instances')
})

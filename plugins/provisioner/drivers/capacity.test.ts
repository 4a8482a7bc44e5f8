import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootForTest } from '../../../control-plane/boot.fixture.ts'
import { BootError } from '../../../src/boot-error.ts'
import { parseConfig } from '../../../src/kernel/config.ts'
import { silentLog } from '../../../src/log.ts'
import { auth } from '../../auth/index.ts'
import { billing } from '../../billing/index.ts'
import { mail } from '../../mail/index.ts'
import { router } from '../../router/index.ts'
import type { Site } from '../../site/contract.ts'
import { provisioner } from '../index.ts'
import { chooseDriver, driverConfig } from './choice.ts'
import { fakeEngine, says } from './docker/fake.fixture.ts'

const site = { production: false, domain: 'example.test', routerMode: 'direct' } as Site
const info = { NCPU: 2, MemTotal: 4 * 1024 ** 3 }

const choosing = async (
  t: Parameters<typeof fakeEngine>[0],
  env: Record<string, string>,
  answer: object = info,
) => {
  const engine = await fakeEngine(t, asked => {
    if (asked === 'GET /_ping') return says(200, 'OK')
    if (asked === 'GET /info') return says(200, answer)
    return says(404, { message: 'network longhouse not found' })
  })
  const config = driverConfig.parse({
    ...env,
    PROVISIONER_DRIVER: 'docker',
    DOCKER_HOST: `unix://${engine.socketPath}`,
  })
  const driver = await chooseDriver(config, site, silentLog)
  t.after(() => driver.close())
  return driver
}

test('limits beyond what the engine has are refused at boot, all at once', async t => {
  await assert.rejects(choosing(t, { INSTANCE_CPUS: '2.5', INSTANCE_MEMORY: '5g' }), (error: BootError) => {
    assert.ok(error instanceof BootError)
    assert.match(error.message, /INSTANCE_CPUS: asks for 2\.5 CPU cores, and the Docker engine has 2/)
    assert.match(error.message, /INSTANCE_MEMORY: asks for 5 GiB of memory, and the Docker engine has 4 GiB/)
    return true
  })
})

test('proxies that labels are for are known ones, and only where labels route', async t => {
  await assert.rejects(choosing(t, { ROUTER_LABELS: 'traefik' }), (error: BootError) =>
    error.message.includes(
      'ROUTER_LABELS: is for ROUTER_MODE=labels with the docker driver; leave it out, or set that mode',
    ),
  )
  for (const text of ['nginx', 'caddy,nginx', ',']) {
    const { faults } = parseConfig(driverConfig, { ROUTER_LABELS: text })
    assert.match(faults[0] ?? '', /^ROUTER_LABELS: must be caddy or traefik, or both with a comma$/, text)
  }
})

test('limits up to what the engine has are accepted, and any limits while it does not report that', async t => {
  assert.equal((await choosing(t, { INSTANCE_CPUS: '2', INSTANCE_MEMORY: '4g' })).name, 'docker')
  assert.equal((await choosing(t, { INSTANCE_CPUS: '64' }, {})).name, 'docker')
})

test('a plan beyond what the engine has is refused at boot, by name', async t => {
  const engine = await fakeEngine(t, asked => {
    if (asked === 'GET /_ping') return says(200, 'OK')
    if (asked === 'GET /info') return says(200, info)
    return says(404, { message: 'network longhouse not found' })
  })
  const plan = (id: string, cpus: number, memory: string) => ({
    id,
    name: id,
    price: `price_${id}`,
    cpus,
    memory,
  })
  const booting = (plans: object[]) =>
    bootForTest(t, [auth, router, provisioner, mail, billing], {
      env: {
        ADMIN_TOKEN: 'a-token-that-only-the-operator-has',
        PROVISIONER_DRIVER: 'docker',
        DOCKER_HOST: `unix://${engine.socketPath}`,
        STRIPE_SECRET_KEY: 'sk_test_abc',
        STRIPE_WEBHOOK_SECRET: 'whsec_one',
        // Nothing listens there: what is refused asks Stripe nothing.
        STRIPE_API_BASE: 'http://127.0.0.1:9',
        BILLING_PLANS: JSON.stringify(plans),
      },
    })
  await assert.rejects(
    booting([plan('basic', 1, '1g'), plan('wide', 3, '1g'), plan('deep', 1, '5g')]),
    (error: BootError) => {
      assert.ok(error instanceof BootError, String(error))
      assert.match(
        error.message,
        /BILLING_PLANS: the plan wide: asks for 3 CPU cores, and the Docker engine has 2/,
      )
      assert.match(
        error.message,
        /BILLING_PLANS: the plan deep: asks for 5 GiB of memory, and the Docker engine has 4 GiB/,
      )
      assert.doesNotMatch(error.message, /basic/)
      return true
    },
  )
})

test('a container runtime that the engine does not know is refused at boot; one that it knows is used', async t => {
  const known = { ...info, Runtimes: { runc: {}, runsc: { path: '/usr/bin/runsc' } } }
  await assert.rejects(
    choosing(t, { INSTANCE_RUNTIME: 'kata' }, known),
    /INSTANCE_RUNTIME: the Docker engine knows no runtime kata, only runc, runsc; install it/,
  )
  const plain = await choosing(t, {}, known)
  const boxed = await choosing(t, { INSTANCE_RUNTIME: 'runsc' }, known)
  // So that instances that run without it are shown as running with older settings.
  assert.notDeepEqual(boxed.settings, plain.settings)
  const config = driverConfig.parse({ PROVISIONER_DRIVER: 'process', INSTANCE_RUNTIME: 'runsc' })
  await assert.rejects(chooseDriver(config, site, silentLog), /INSTANCE_RUNTIME: is for containers/)
  assert.throws(
    () => driverConfig.parse({ INSTANCE_RUNTIME: '../x' }),
    /must be the name of a container runtime/,
  )
})

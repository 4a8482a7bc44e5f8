import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { say } from '../../cli/command.fixture.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { token } from '../provisioner/fleet.fixture.ts'
import { isNew, upgradableFleet } from './upgrades.fixture.ts'

/** `longhouse upgrades …`, asked of a fleet with these instances. */
async function fleetWithCommand(
  t: TestContext,
  names: readonly string[],
  options: Parameters<typeof upgradableFleet>[1] = {},
) {
  const upgradable = await upgradableFleet(t, options)
  await upgradable.provisionAll(...names)
  const dir = temporaryFolder(t)
  const env = {
    XDG_CONFIG_HOME: dir,
    LONGHOUSE_URL: `http://control.localhost:${upgradable.fleet.port}`,
    LONGHOUSE_TOKEN: token,
  }
  return { ...upgradable, upgrades: (...args: string[]) => say(t, dir, ['upgrades', ...args], env) }
}

const order = ['--image', 'runtime:2', '--soak', '0s', '--first', 'amber', '--wait']
const idIn = (out: string) => /^fup_\w+/.exec(out)?.[0] ?? ''

test('upgrades start --wait ends with 1 when an instance failed, though the others were upgraded', async t => {
  const { upgrades } = await fleetWithCommand(t, ['amber', 'beryl', 'coral', 'delta'], {
    start: (spec, volume) => {
      if (isNew(spec) && spec.subdomain === 'delta') writeFileSync(join(volume, 'behave'), 'crash')
    },
  })
  const { code, out, err } = await upgrades('start', ...order, '--halt-after', '9')
  assert.match(out, /: done, .*: 3 upgraded, 1 failed/, err)
  assert.equal(code, 1)
  assert.equal((await upgrades('show', idIn(out))).code, 1)
})

test('upgrades start --wait ends with 0 when all were upgraded; undo with 1 when one was not rolled back', async t => {
  const { fleet, upgrades } = await fleetWithCommand(t, ['amber', 'beryl'])
  const done = await upgrades('start', ...order)
  assert.match(done.out, /: done, .*: 2 upgraded/)
  assert.equal(done.code, 0, done.err)
  const id = idIn(done.out)
  assert.equal((await upgrades('show', id)).code, 0)
  await fleet.admin('POST', '/admin/instances/beryl/upgrade', { body: { image: 'runtime:3' }, wait: 60 })
  const first = await upgrades('undo', id, '--wave', '1', '--wait')
  assert.equal(first.code, 0, first.out)
  const undone = await upgrades('undo', id, '--wait')
  assert.match(undone.out, /: undone, .*: 1 rolled-back, 1 kept/)
  assert.equal(undone.code, 1)
})

test('upgrades resume --wait ends with 1 when the fleet upgrade is cancelled meanwhile', async t => {
  const gate = Promise.withResolvers<void>()
  const { upgrades, post, reaches } = await fleetWithCommand(t, ['amber', 'beryl'], {
    start: spec => (isNew(spec) ? gate.promise : undefined),
  })
  const { out } = await upgrades('start', ...order.slice(0, -1))
  const id = idIn(out)
  await reaches(id, 'amber is being upgraded', ({ instances }) => instances[0]?.status === 'upgrading')
  assert.equal((await upgrades('pause', id)).code, 0)
  const waiting = upgrades('resume', id, '--wait')
  await reaches(id, 'it goes on', ({ state }) => state === 'running')
  assert.equal((await post(`/${id}/cancel`)).body.state, 'cancelling')
  gate.resolve()
  const { code, out: said } = await waiting
  assert.match(said, /: cancelled, /)
  assert.equal(code, 1)
})

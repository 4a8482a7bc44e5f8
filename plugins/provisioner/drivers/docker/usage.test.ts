import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../../src/testing/folder.ts'
import { openEngine } from './engine.ts'
import { fakeEngine, listed, noSuchContainer, says } from './fake.fixture.ts'
import { usageOfContainers } from './usage.ts'

const acme = { id: 'inst_acme', subdomain: 'acme' }
const container = 'c'.repeat(64)
const mounted = { Mounts: [{ Source: '/data/acme', Destination: '/data' }] }
const begun = { Config: {}, RestartCount: 0, State: { StartedAt: '2026-01-01T12:00:00.5Z' } }
const never = AbortSignal.timeout(60_000)

/** An engine with one container of acme, and control groups with these files. */
async function startMeasuring(t: TestContext, files: Record<string, string>, stats: () => string | null) {
  const cgroups = temporaryFolder(t)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cgroups, name)), { recursive: true })
    writeFileSync(join(cgroups, name), `${text}\n`)
  }
  const engine = await fakeEngine(t, request => {
    if (request === 'GET /containers/json') return says(200, [listed(acme, mounted)])
    if (request === `GET /containers/${container}/json`) return says(200, begun)
    return request === `GET /containers/${container}/stats`
      ? stats()
      : says(404, { message: 'page not found' })
  })
  const opened = openEngine(engine.socketPath)
  t.after(() => opened.close())
  return { engine, measuring: usageOfContainers(opened, [cgroups]) }
}

const measured = {
  instanceId: acme.id,
  processorMs: 1500,
  memoryBytes: 60 * 1024 ** 2,
  processes: 12,
  startedAt: Date.parse('2026-01-01T12:00:00.5Z'),
}
const memory = String(80 * 1024 ** 2)
const cached = String(20 * 1024 ** 2)

const layouts: Record<string, Record<string, string>> = {
  'version 2, with systemd': {
    [`system.slice/docker-${container}.scope/pids.current`]: '12',
    [`system.slice/docker-${container}.scope/memory.current`]: memory,
    [`system.slice/docker-${container}.scope/memory.stat`]: `anon 5\nactive_file 7\ninactive_file ${cached}`,
    [`system.slice/docker-${container}.scope/cpu.stat`]: 'usage_usec 1500000\nuser_usec 3',
  },
  'version 1, with cgroupfs': {
    [`pids/docker/${container}/pids.current`]: '12',
    [`memory/docker/${container}/memory.usage_in_bytes`]: memory,
    [`memory/docker/${container}/memory.stat`]: `inactive_file 1\ntotal_inactive_file ${cached}`,
    [`cpuacct/docker/${container}/cpuacct.usage`]: '1500000000',
  },
}

for (const [layout, files] of Object.entries(layouts))
  test(`a container is measured by its control groups: ${layout}`, async t => {
    const { engine, measuring } = await startMeasuring(t, files, () =>
      assert.fail('the engine need not measure'),
    )
    assert.deepEqual(await measuring.measure('/data', never), { used: [measured], restMs: 0 })
    await measuring.measure('/data', never)
    const inspected = engine.asked.filter(request => request === `GET /containers/${container}/json`)
    assert.equal(inspected.length, 1, 'when it was started is asked once')
  })

test('where no control groups can be seen the engine measures, and gets a rest', async t => {
  let answer: () => string | null = () =>
    says(200, {
      cpu_stats: { cpu_usage: { total_usage: 1_500_000_000 } },
      memory_stats: { usage: Number(memory), stats: { inactive_file: Number(cached) } },
      pids_stats: { current: 12 },
    })
  const { measuring } = await startMeasuring(t, {}, () => answer())
  assert.deepEqual(await measuring.measure('/data', never), { used: [measured], restMs: 300 })
  answer = () => noSuchContainer(container)
  assert.deepEqual((await measuring.measure('/data', never)).used, [], 'it went in the meantime')
  answer = () => says(200, 'something else')
  assert.deepEqual(
    (await measuring.measure('/data', never)).used,
    [],
    'an answer that cannot be read is no figure',
  )
  answer = () => says(200, { cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {}, pids_stats: {} })
  assert.deepEqual((await measuring.measure('/data', never)).used, [], 'it has ended: that is not zero')
  assert.deepEqual((await measuring.measure('/elsewhere', never)).used, [], 'another data root is not ours')
})

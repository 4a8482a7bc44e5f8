import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { ask } from '../../src/testing/ask.ts'
import { backup } from '../backup/index.ts'
import { mail } from '../mail/index.ts'
import { testFleet, token } from '../provisioner/fleet.fixture.ts'
import { upgrades } from '../upgrades/index.ts'
import { metrics } from './index.ts'

const metricsToken = 'only-reads-the-metrics'

/** Samples by name and labels; throws for a line that is none, or that comes twice. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (HELP|TYPE) [a-z_0-9]+ \S/.test(line)) continue
    const match = /^([a-z_0-9]+(?:\{(?:[a-z]+="[^"]*",?)*\})?) (\S+)$/.exec(line)
    assert.ok(match, line)
    assert.ok(!samples.has(match[1] as string), `twice: ${line}`)
    samples.set(match[1] as string, Number(match[2]))
  }
  return samples
}

/** Reads the metrics of a control plane on this port. */
async function read(port: number, secret: string) {
  const Authorization = `Bearer ${secret}`
  const { status, text, headers } = await ask({
    port,
    host: 'control.localhost',
    path: '/metrics',
    headers: { Authorization },
  })
  return { status, text, type: headers['content-type'] }
}

test('metrics count instances, operations, health checks and requests', async t => {
  const fleet = await testFleet(t, { plugins: [metrics], env: { METRICS_TOKEN: metricsToken } })
  const scrape = async () => parse((await read(fleet.port, metricsToken)).text)
  const before = await scrape()
  assert.equal(before.get('longhouse_operations_total{kind="provision",result="succeeded"}'), 0)
  assert.equal(before.get('longhouse_engine_up{driver="process"}'), 1)

  await fleet.provision('acme')
  await fleet.provision('beta')
  await fleet.admin('POST', '/admin/instances/beta/stop', { wait: 20 })
  assert.equal((await fleet.visit('acme')).status, 200)
  assert.equal((await fleet.visit('beta')).status, 503)
  assert.equal((await fleet.visit('nobody')).status, 404)
  for (let time = 0; time < 2; time++) {
    const figures = await scrape()
    const expected = {
      'longhouse_instances{status="running",desired="running"}': 1,
      'longhouse_instances{status="stopped",desired="stopped"}': 1,
      longhouse_instances_suspended: 0,
      'longhouse_operations_total{kind="provision",result="succeeded"}': 2,
      'longhouse_operations_total{kind="stop",result="succeeded"}': 1,
      'longhouse_operations_total{kind="stop",result="failed"}': 0,
      'longhouse_operation_duration_seconds_count{kind="provision"}': 2,
      longhouse_operations_open: 0,
      'longhouse_edge_requests_total{status="2xx"}': 1,
      'longhouse_edge_requests_total{status="5xx"}': 1,
      'longhouse_edge_refused_total{reason="unknown-instance"}': 1,
      longhouse_edge_requests: 0,
      longhouse_edge_held: 0,
      'longhouse_check_ok{check="database"}': 1,
      'longhouse_collector_ok{plugin="provisioner"}': 1,
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(figures.get(name), value, name)
    assert.ok((figures.get('longhouse_health_looks_total{result="healthy"}') ?? 0) >= 2)
    assert.ok(
      (figures.get('longhouse_task_last_success_timestamp_seconds{task="provisioner:reconcile"}') ?? 0) > 0,
    )
    assert.ok((figures.get('longhouse_data_root_free_bytes') ?? 0) > 0)
    assert.ok((figures.get('nodejs_eventloop_lag_p99_seconds') ?? -1) >= 0)
    assert.ok((figures.get('process_resident_memory_bytes') ?? 0) > 10_000_000)
  }
})

test('an operation that was open when it was first counted is counted when it ends', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const fleet = await testFleet(t, {
    plugins: [metrics],
    driver: real => ({ ...real, name: real.name, prepareImage: async () => held.then(() => null) }),
  })
  await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'ada@example.com' },
  })
  const scrape = async () => parse((await read(fleet.port, token)).text)
  assert.equal((await scrape()).get('longhouse_operations_open'), 1)
  release()
  const { body } = await fleet.admin('POST', '/admin/instances/acme/start', { wait: 20 })
  assert.equal(body.status, 'running')
  const after = await scrape()
  assert.equal(after.get('longhouse_operations_open'), 0)
  assert.equal(after.get('longhouse_operations_total{kind="provision",result="succeeded"}'), 1)
})

test('only the admin token and the metrics token read metrics, and the latter reads nothing else', async t => {
  const fleet = await testFleet(t, { plugins: [metrics], env: { METRICS_TOKEN: metricsToken } })
  const answered = await read(fleet.port, token)
  assert.equal(answered.status, 200)
  assert.match(answered.type ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal((await read(fleet.port, 'another-token-altogether')).status, 401)
  const bare = await ask({ port: fleet.port, host: 'control.localhost', path: '/metrics' })
  assert.equal(bare.status, 401)
  const headers = { Authorization: `Bearer ${metricsToken}` }
  assert.equal((await fleet.admin('GET', '/admin/instances', { headers })).status, 401)
})

test('without METRICS_TOKEN no other token reads metrics; one that is too short stops the start', async t => {
  const fleet = await testFleet(t, { plugins: [metrics] })
  assert.equal((await read(fleet.port, metricsToken)).status, 401)
  await assert.rejects(
    testFleet(t, { plugins: [metrics], env: { METRICS_TOKEN: 'short' } }),
    /METRICS_TOKEN: must have at least 16 characters/,
  )
})

test('a plugin whose metrics fail costs only its own', async t => {
  const broken = definePlugin({
    name: 'broken',
    setup: () => ({
      metrics: () => {
        throw new Error('no figures')
      },
    }),
  })
  const fleet = await testFleet(t, { plugins: [metrics, broken] })
  const figures = parse((await read(fleet.port, token)).text)
  assert.equal(figures.get('longhouse_collector_ok{plugin="broken"}'), 0)
  assert.equal(figures.get('longhouse_collector_ok{plugin="provisioner"}'), 1)
})

const monitoring = (file: string) => join(import.meta.dirname, '../../docker/monitoring', file)

test('the dashboard and the rules name only metrics that there are', async t => {
  const plugins = [metrics, mail, upgrades, backup]
  const fleet = await testFleet(t, { plugins, env: { METRICS_TOKEN: metricsToken } })
  await fleet.provision('acme')
  const names = new Set(
    [...(await read(fleet.port, metricsToken)).text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
  )
  for (const file of ['rules.yml', 'dashboard.json']) {
    const text = readFileSync(monitoring(file), 'utf8')
    const used = [...text.matchAll(/\b(?:longhouse|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
      name.replace(/_bucket$/, ''),
    )
    assert.ok(used.length > 10, file)
    assert.deepEqual(
      used.filter(name => !names.has(name)),
      [],
      file,
    )
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined
const skip = hasPromtool ? false : 'promtool is not installed: apt-get install prometheus'

function promtool(args: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  assert.equal(status, 0, `promtool ${args.join(' ')}: ${stdout}${stderr}`)
}

test('Prometheus’ own tool finds nothing wrong with the metrics', { skip }, async t => {
  const fleet = await testFleet(t, { plugins: [metrics, mail] })
  await fleet.provision('acme')
  promtool(['check', 'metrics'], (await read(fleet.port, token)).text)
})

test('Prometheus’ own tool accepts the rules, and they fire when they should', { skip }, () => {
  promtool(['check', 'rules', monitoring('rules.yml')])
  promtool(['test', 'rules', monitoring('rules.test.yml')])
  promtool(['check', 'config', '--syntax-only', monitoring('prometheus.yml')])
})

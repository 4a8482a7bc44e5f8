import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../plugins/router/wire.fixture.ts'
import { childrenOf } from '../plugins/router/workers/workers.fixture.ts'
import { builtRoot } from '../src/root.ts'
import { ask, type Reply } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { startLonghouse } from './longhouse.fixture.ts'

const page = { Accept: 'text/html' }

/** The supervisor of the edge that has this data root, or 0. */
function supervisorOf(dataRoot: string): number {
  const isIt = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(`edge.js\0${dataRoot}\0`)
    } catch {
      return false
    }
  }
  return Number(readdirSync('/proc').find(pid => /^\d+$/.test(pid) && isIt(pid)) ?? 0)
}

function workersOf(dataRoot: string): number[] {
  const supervisor = supervisorOf(dataRoot)
  return supervisor === 0 ? [] : childrenOf(supervisor)
}

const cookieIn = ({ headers }: Reply) => headers['set-cookie']?.[0]?.split(';')[0] ?? ''

test('domains, a gate, the access log and traffic hold in workers, also without the control plane', {
  timeout: 240_000,
}, async t => {
  const dataRoot = temporaryFolder(t)
  const logFile = join(temporaryFolder(t), 'access.log')
  const env = {
    LONGHOUSE_PORT: String(await freePort()),
    ROUTER_WORKERS: '2',
    ROUTER_ACCESS_LOG: 'json',
    ROUTER_ACCESS_LOG_FILE: logFile,
  }
  const longhouse = await startLonghouse(t, { driver: 'process', dataRoot, env })
  const { port, admin } = longhouse
  await longhouse.provision('acme')
  const site = 'acme.localhost'
  const domain = 'jobs.acme.test'
  const visit = (host: string, path: string, headers: Record<string, string> = {}) =>
    ask({ port, host: `${host}:${port}`, path, headers })
  const becomes = (host: string, path: string, status: number) =>
    eventually(`${host}${path} answers ${status}`, async () => (await visit(host, path)).status === status)
  // Asked at the same time, so that both workers answer.
  const manyTimes = async (host: string, path: string, status: number) => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => visit(host, path)))
    assert.deepEqual([...new Set(replies.map(reply => reply.status))], [status])
  }

  const domains = '/admin/instances/acme/domains'
  assert.equal((await visit(domain, '/api/health')).status, 404)
  assert.equal((await admin(domains, { body: { domain, vouched: true } })).status, 201)
  await becomes(domain, '/api/health', 200)
  await manyTimes(domain, '/api/health', 200)
  await admin(`${domains}/${domain}`, { method: 'DELETE' })
  await becomes(domain, '/api/health', 404)
  await admin(domains, { body: { domain, vouched: true } })
  await becomes(domain, '/api/health', 200)

  const gate = (closed: boolean) =>
    admin('/admin/instances/acme/gate', {
      method: 'PUT',
      body: { closed, public_paths: ['/api/health'] },
    })
  assert.equal((await visit(site, '/login')).status, 200)
  assert.equal((await gate(true)).status, 200)
  await becomes(site, '/login', 401)
  for (const host of [site, domain]) {
    await manyTimes(host, '/login', 401)
    await manyTimes(host, '/api/health', 200)
  }

  const control = `control.localhost:${port}`
  const signedIn = await ask({
    ...{ port, host: control, path: '/login', method: 'POST', body: `token=${longhouse.token}` },
    headers: {
      ...page,
      Origin: `http://${control}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
  })
  const session = cookieIn(signedIn)
  for (const host of [site, domain]) {
    const begun = await visit(host, '/login?x=1', page)
    assert.equal(begun.status, 303)
    const there = new URL(begun.headers.location ?? '')
    const through = await ask({
      port,
      host: control,
      path: there.pathname + there.search,
      headers: { ...page, Cookie: session },
    })
    const back = new URL(through.headers.location ?? '')
    assert.equal(back.host, `${host}:${port}`)
    const arrive = (cookie: string) => visit(host, back.pathname + back.search, { ...page, Cookie: cookie })
    assert.equal((await arrive('longhouse_gate_state=another')).status, 403)
    // At most once for each worker, and what the second one gives is the same.
    const arrived = await Promise.all(Array.from({ length: 40 }, () => arrive(cookieIn(begun))))
    const passes = arrived.filter(({ status }) => status === 303).map(cookieIn)
    assert.equal(arrived.filter(({ status }) => status === 403).length, 40 - passes.length)
    assert.ok(passes.length === 1 || passes.length === 2, String(passes.length))
    assert.equal(new Set(passes).size, 1)
    const pass = { ...page, Cookie: passes[0] ?? '' }
    const inside = await Promise.all(Array.from({ length: 20 }, () => visit(host, '/login', pass)))
    assert.ok(inside.every(({ status }) => status === 200))
  }

  // What both workers wrote and counted is all that was asked.
  const requests = async () =>
    (await admin('/admin/instances/acme/traffic')).json<{ now: { requests: number } }>().now.requests
  const lines = () =>
    readFileSync(logFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { instance?: string; host: string; path: string; status: number })
  const before = lines().length
  await Promise.all(Array.from({ length: 30 }, () => visit(domain, '/api/health')))
  const fresh = await eventually('the lines of the access log', () => {
    const found = lines()
      .slice(before)
      .filter(({ host, path }) => host.startsWith(domain) && path === '/api/health')
    return found.length >= 30 && found
  })
  assert.equal(fresh.length, 30)
  assert.ok(fresh.every(({ instance, status }) => instance === 'acme' && status === 200))
  await eventually('the figures of traffic', async () => (await requests()) >= 30)

  // The control plane is killed: the workers have the rules, and fresh ones get them from the supervisor.
  await longhouse.end('SIGKILL')
  const old = workersOf(dataRoot)
  assert.equal(old.length, 2)
  await manyTimes(site, '/login', 401)
  for (const pid of old) process.kill(pid, 'SIGKILL')
  await eventually('fresh workers', () => {
    const now = workersOf(dataRoot)
    return now.length === 2 && now.every(pid => !old.includes(pid))
  })
  await becomes(domain, '/login', 401)
  await manyTimes(domain, '/login', 401)
  await manyTimes(site, '/login', 401)

  // All are killed: an edge that is started alone has the rules from its file.
  const stateFile = join(dataRoot, '.control/edge/state.ndjson')
  await eventually('the rules are kept', () => /"gate":/.test(readFileSync(stateFile, 'utf8')))
  for (const pid of [supervisorOf(dataRoot), ...workersOf(dataRoot)]) process.kill(pid, 'SIGKILL')
  const alone = spawn(process.execPath, [builtRoot('edge.js'), dataRoot], {
    stdio: 'ignore',
    env: { ...process.env, LOG_LEVEL: 'silent' },
  })
  t.after(() => alone.kill('SIGTERM'))
  await eventually('the edge alone serves', () => visit(domain, '/login'))
  for (const host of [site, domain]) await manyTimes(host, '/login', 401)

  const next = await startLonghouse(t, { driver: 'process', dataRoot, env })
  assert.equal(next.port, port)
  await becomes(domain, '/api/health', 200)
  await manyTimes(site, '/login', 401)
  await next.admin('/admin/instances/acme/gate', { method: 'PUT', body: { closed: false, public_paths: [] } })
  await becomes(site, '/login', 200)
  await becomes(domain, '/login', 200)
})

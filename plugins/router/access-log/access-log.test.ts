import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { silentLog } from '../../../src/log.ts'
import { manualClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { startEdge } from '../edge.fixture.ts'
import { ask, route, startInstance, wire } from '../wire.fixture.ts'
import { type AccessEntry, accessLine } from './line.ts'
import { Lines } from './lines.ts'

const entry: AccessEntry = {
  at: Date.UTC(2026, 10, 30, 8, 0, 0, 7),
  requestId: 'req_1',
  client: '2001:db8::1',
  instance: 'acme',
  host: 'acme.example.com',
  method: 'GET',
  target: '/api/jobs?token=secret',
  httpVersion: '1.1',
  status: 200,
  complete: true,
  bytesIn: 0,
  bytesOut: 512,
  durationMs: 12.3456,
  upstreamMs: 10,
  problem: null,
  referrer: 'https://example.com/?from=mail',
  userAgent: 'curl/8',
}

/** Asks an edge with an access log; `logged` resolves with the lines once there are as many. */
async function logging(t: TestContext, env: Record<string, string> = {}) {
  const file = join(temporaryFolder(t), 'access.log')
  const edge = await startEdge({ ROUTER_ACCESS_LOG: 'json', ROUTER_ACCESS_LOG_FILE: file, ...env })
  const instance = await startInstance('inst_a', (request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'Content-Length': 10 }).write('cut', () => response.destroy())
    } else if (request.url === '/fault') response.writeHead(500).end()
    else request.resume().on('end', () => response.end('12345'))
  })
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  route(edge, 'a', instance)
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [])
  const logged = async (count: number) => {
    await eventually(`${count} lines`, () => lines().length >= count)
    assert.equal(lines().length, count)
    return lines().map(line => JSON.parse(line) as Record<string, unknown>)
  }
  return { file, edge, lines, logged }
}

test('a line has what is asked of a request, in JSON', () => {
  assert.deepEqual(JSON.parse(accessLine(entry, 'json', false)), {
    time: '2026-11-30T08:00:00.007Z',
    request_id: 'req_1',
    client: '2001:db8::1',
    instance: 'acme',
    host: 'acme.example.com',
    method: 'GET',
    path: '/api/jobs',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes_in: 0,
    bytes_out: 512,
    duration_ms: 12.346,
    upstream_ms: 10,
    referrer: 'https://example.com/',
    user_agent: 'curl/8',
  })
  const { path } = JSON.parse(accessLine(entry, 'json', true))
  assert.equal(path, '/api/jobs?token=secret', 'with the query, when that is set')
})

test('a line has what is asked of a request, in the combined format', () => {
  assert.equal(
    accessLine(entry, 'combined', false),
    '2001:db8::1 - - [30/Nov/2026:08:00:00 +0000] "GET /api/jobs HTTP/1.1" 200 512 "https://example.com/" ' +
      '"curl/8" "acme.example.com" "req_1" 0.012346 0.010000\n',
  )
  const bare = { ...entry, requestId: null, upstreamMs: null, referrer: undefined, userAgent: undefined }
  assert.match(accessLine(bare, 'combined', false), / 512 "-" "-" "acme.example.com" "-" 0.012346 -\n$/)
})

test('nothing that a client sends breaks a line or a field', () => {
  const text = fc.string({ unit: 'binary', maxLength: 5000 })
  fc.assert(
    fc.property(text, text, text, text, (target, referrer, userAgent, host) => {
      const hostile = { ...entry, target, referrer, userAgent, host, client: host, requestId: userAgent }
      const json = accessLine(hostile, 'json', true)
      assert.match(json, /^[ -~]{1,4000}\n$/)
      const parsed = JSON.parse(json)
      assert.ok(target.startsWith(parsed.path) && userAgent.startsWith(parsed.user_agent))
      assert.equal(parsed.status, 200)
      const combined = accessLine(hostile, 'combined', true)
      assert.match(combined, /^[ -~]{1,4000}\n$/)
      const quoted =
        /^[^"\\]*(\\x..|\\u....|[^"\\])* - - \[[^\]]+\] "GET [^"]*" 200 512 "[^"]*" "[^"]*" "[^"]*" "[^"]*" [\d.]+ [\d.]+\n$/
      assert.match(combined, quoted)
    }),
  )
})

test('every request for an instance is one line, also those that the edge answers', async t => {
  const { edge, logged } = await logging(t)
  const answer = await ask(edge, 'a.localhost', {
    ...{ method: 'POST', path: '/form?secret=1', body: 'äöü' },
    headers: { 'user-agent': 'a "quoted" agent', referer: 'http://a.localhost/?secret=2' },
  })
  edge.router.set('b', { state: 'stopped', instanceId: 'inst_b' })
  const stoppedBody = (await ask(edge, 'b.localhost')).body
  const unknownBody = (await ask(edge, 'nobody.localhost', { path: '/wp-admin' })).body
  await wire(edge, 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n').ended()
  await assert.rejects(ask(edge, 'a.localhost', { path: '/cut' }))
  const [form, stopped, unknown, malformed, cut] = await logged(5)
  const { time, duration_ms, upstream_ms, ...rest } = form ?? {}
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 600_000)
  assert.ok(Number(duration_ms) >= Number(upstream_ms))
  assert.deepEqual(rest, {
    request_id: answer.headers['x-request-id'],
    ...{ client: '127.0.0.1', instance: 'a', host: 'a.localhost', method: 'POST', path: '/form' },
    ...{ protocol: 'HTTP/1.1', status: 200, bytes_in: 6, bytes_out: 5 },
    ...{ referrer: 'http://a.localhost/', user_agent: 'a "quoted" agent' },
  })
  assert.deepEqual([stopped?.status, stopped?.problem], [503, 'instance-stopped'])
  assert.equal(stopped?.bytes_out, Buffer.byteLength(stoppedBody))
  assert.deepEqual([unknown?.status, unknown?.instance, unknown?.path], [404, 'nobody', '/wp-admin'])
  assert.equal(unknown?.bytes_out, Buffer.byteLength(unknownBody))
  assert.deepEqual([malformed?.status, malformed?.instance], [400, undefined])
  assert.deepEqual([cut?.status, cut?.complete, cut?.bytes_out], [200, false, 3])
})

test('a sample leaves out what succeeded, and errors only when that is set', async t => {
  for (const [env, count] of [
    [{ ROUTER_ACCESS_LOG_SAMPLE: '0' }, 1],
    [{ ROUTER_ACCESS_LOG_SAMPLE: '0', ROUTER_ACCESS_LOG_ERRORS: 'false' }, 0],
    [{ ROUTER_ACCESS_LOG_SAMPLE: '1', ROUTER_ACCESS_LOG_ERRORS: 'false' }, 3],
    [{ ROUTER_ACCESS_LOG: 'off' }, 0],
  ] as const) {
    const { edge, lines } = await logging(t, env)
    await ask(edge, 'a.localhost')
    await ask(edge, 'a.localhost', { path: '/fault' })
    await ask(edge, 'nobody.localhost')
    await eventually('requests are over', () => edge.router.traffic()[0]?.inProgress === 0)
    await edge.stop()
    assert.equal(lines().length, count, JSON.stringify(env))
  }
})

test('a file that was renamed is opened anew, and no line is lost', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'access.log')
  const lines = new Lines(file, silentLog)
  let written = 0
  const write = () => lines.write(`${written++}\n`)
  write()
  await eventually('the first file', () => readFileSync(file, 'utf8') !== '')
  renameSync(file, `${file}.1`)
  await eventually('the second file', () => {
    write()
    return existsSync(file) && readFileSync(file, 'utf8') !== ''
  })
  rmSync(`${file}.2`, { force: true })
  // A folder in its place cannot be opened: lines go on to where they went.
  renameSync(file, `${file}.2`)
  mkdirSync(file)
  for (let i = 0; i < 5000; i++) write()
  await lines.close()
  const all = [`${file}.1`, `${file}.2`].map(name => readFileSync(name, 'utf8')).join('')
  const sorted = all
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b)
  assert.deepEqual(
    sorted,
    Array.from({ length: written }, (_, index) => index),
  )
})

test('a file that cannot be opened costs lines, which are counted, until it can be', async t => {
  const folder = join(temporaryFolder(t), 'logs')
  const file = join(folder, 'access.log')
  const lines = new Lines(file, silentLog)
  await eventually('lines are dropped', () => {
    lines.write('lost\n')
    return lines.takeDropped() > 0
  })
  mkdirSync(folder)
  await eventually('the file', () => {
    lines.write('kept\n')
    return existsSync(file) && readFileSync(file, 'utf8').includes('kept')
  })
  await lines.close()
})

test('each outage is said once', async t => {
  const folder = join(temporaryFolder(t), 'logs')
  const file = join(folder, 'access.log')
  let said = 0
  const log = pino({ level: 'error' }, { write: () => void said++ })
  const lines = new Lines(file, log)
  t.after(() => lines.close())
  const written = () => {
    lines.write('kept\n')
    return existsSync(file) && readFileSync(file, 'utf8').includes('kept')
  }
  assert.equal(said, 1)
  mkdirSync(folder)
  await eventually('the file', written)
  assert.equal(said, 1)
  renameSync(folder, `${folder}.1`)
  await eventually('the second outage is said', () => {
    lines.write('late\n')
    return said > 1
  })
  mkdirSync(folder)
  await eventually('the file again', written)
  assert.equal(said, 2)
})

test('a reader that takes nothing costs lines, which are counted, and no memory or time', async () => {
  const child = fork(join(import.meta.dirname, 'slow-reader.fixture.ts'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: ['--import', join(import.meta.dirname, '../../../scripts/loader.mjs')],
  })
  const over = once(child, 'exit')
  const [{ count, dropped }] = (await once(child, 'message')) as [{ count: number; dropped: number }]
  assert.ok(dropped > 0 && dropped < count, `${dropped} of ${count}`)
  assert.deepEqual(await over, [0, null], 'its end does not wait for the reader')
})

test('settings that cannot work stop the start', async t => {
  const folder = temporaryFolder(t)
  for (const [env, message] of [
    [{ ROUTER_ACCESS_LOG: 'yes' }, /ROUTER_ACCESS_LOG: must be off, json or combined/],
    [{ ROUTER_ACCESS_LOG_SAMPLE: '2' }, /ROUTER_ACCESS_LOG_SAMPLE: must be a number from 0 to 1/],
    [{ ROUTER_ACCESS_LOG_FILE: 'access.log' }, /ROUTER_ACCESS_LOG_FILE: must be an absolute path/],
    [{ ROUTER_ACCESS_LOG_FILE: join(folder, 'none', 'log') }, /ROUTER_ACCESS_LOG_FILE: cannot be written: /],
    [{ ROUTER_ACCESS_LOG_FILE: folder }, /ROUTER_ACCESS_LOG_FILE: must be a regular file/],
  ] as const)
    await assert.rejects(startEdge(env, manualClock()), message)
})

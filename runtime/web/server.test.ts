import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Hono } from 'hono'
import { closeServer, openServer } from '../../src/http/listener/server.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { createInstanceServer } from './server.ts'

async function serve(
  t: TestContext,
  options: Parameters<typeof createInstanceServer>[2] = {},
): Promise<(text: string) => Promise<string>> {
  const app = new Hono<AppEnv>()
  app.get('/', c => c.text('here'))
  app.all('/api/health', c => c.text('the app'))
  const server = createInstanceServer(app, 'inst_test', options)
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server, { graceMs: 0 }))
  return text =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('latin1').on('data', piece => {
        answer += piece
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })
}

test('an unreadable request is refused with the instance’s name in the response', async t => {
  const say = await serve(t)
  for (const [request, status, title] of [
    ['rubbish\r\n\r\n', 400, 'The request could not be read'],
    [`GET / HTTP/1.1\r\nHost: a\r\nLong: ${'x'.repeat(70_000)}\r\n\r\n`, 431, 'The headers are too large'],
    ['GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n', 417, 'The expectation cannot be met'],
  ] as const) {
    const answer = await say(request)
    const [head, body] = answer.split('\r\n\r\n')
    assert.match(head ?? '', new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(head ?? '', /^Longhouse-Instance: inst_test$/m)
    assert.equal((JSON.parse(body ?? '') as { title: string }).title, title)
  }
  const noHost = await say('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
  assert.match(noHost, /^HTTP\/1\.1 400 [\s\S]*^longhouse-instance: inst_test\r$/im)
})

test('a fresh connection learns the instance’s id and nothing else', async t => {
  const say = await serve(t)
  const head = 'HEAD /.well-known/longhouse-instance HTTP/1.1\r\nHost: localhost\r\n'
  const answer = await say(`${head}\r\n${head}Connection: close\r\n\r\n`)
  assert.equal(answer.match(/^HTTP\/1\.1 204 No Content\r$/gm)?.length, 2)
  assert.equal(answer.match(/^longhouse-instance: inst_test\r$/gim)?.length, 2)
})

test('a request to upgrade to another protocol gets an ordinary response', async t => {
  const say = await serve(t)
  for (const protocol of ['websocket', 'something/1']) {
    const answer = await say(
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*^longhouse-instance: inst_test\r$[\s\S]*here/im)
  }
})

test('a poll for health is answered by the server, and anything that may get another answer by the app', async t => {
  let report: () => Promise<{ status: string }> = async () => ({ status: 'ok' })
  const started = Promise.withResolvers<void>()
  const say = await serve(t, { health: { report: () => report(), started: () => started.promise } })
  const ask = (request: string, ...headers: string[]) =>
    say(`${[`${request} HTTP/1.1`, 'Host: a', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`)
  for (const answer of [
    await ask('GET /api/health'),
    await ask('GET /api/health?fresh=1', 'Longhouse-Instance: inst_test'),
  ]) {
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n\{"status":"ok"\}$/)
    assert.match(answer, /^longhouse-instance: inst_test\r$/im)
    assert.match(answer, /^content-type: application\/json\r$/im)
    assert.match(answer, /^cache-control: no-store\r$/im)
  }
  for (const [request, ...headers] of [
    ['GET /api/health', 'Cookie: session=1'],
    ['GET /api/health', 'Authorization: Bearer lht_1'],
    ['GET /api/health', 'Longhouse-Instance: inst_other'],
    ['POST /api/health', 'Content-Length: 0'],
    ['GET /api/health/'],
    ['GET /api/healthy'],
  ] as const) {
    const answer = await ask(request, ...headers)
    assert.doesNotMatch(answer, /"status":"ok"/, `${request} ${headers}`)
  }
  report = async () => ({ status: 'starting' })
  assert.match(await ask('GET /api/health'), /^HTTP\/1\.1 503 [\s\S]*\{"status":"starting"\}$/)
  const waiting = ask('GET /api/health', 'Prefer: wait=1')
  assert.match(
    await ask('GET /api/health', 'Prefer: wait=1', 'X-Forwarded-For: 203.0.113.7'),
    /^HTTP\/1\.1 503 /,
    'a stranger is answered at once',
  )
  report = async () => ({ status: 'ok' })
  started.resolve()
  assert.match(
    await waiting,
    /^HTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}$/,
    'the control plane, when it is ready',
  )
  report = async () => {
    throw new Error('the check itself fails')
  }
  assert.match(await ask('GET /api/health'), /^HTTP\/1\.1 200 [\s\S]*the app/)
})

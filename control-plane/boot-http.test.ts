import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { z } from 'zod'
import { open, route } from '../src/http/route.ts'
import { eventually } from '../src/testing/eventually.ts'
import { bootForTest, keptLog, plain } from './boot.fixture.ts'

const pong = route({
  method: 'get',
  path: '/pong',
  summary: 'Answers',
  guard: open,
  answers: { 200: { description: 'pong' } },
  handle: c => c.text('pong'),
})

test('plugins can take requests and upgrades before the app; one that throws closes only its connection', async t => {
  const { log, lines } = keptLog()
  const taker = plain({
    name: 'taker',
    setup: () => ({
      routes: [pong],
      hooks: {
        'take-request': (request: IncomingMessage, response: ServerResponse) => {
          if (request.url === '/boom') throw new Error('intercept broke')
          if (request.url !== '/taken') return false
          response.end('by the plugin')
          return true
        },
        'take-upgrade': (request: IncomingMessage, socket: Duplex) => {
          if (request.url === '/boom') throw new Error('upgrade broke')
          if (request.url !== '/taken') return false
          socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\ntunnel')
          return true
        },
      },
    }),
  })
  const port = await (await bootForTest(t, [taker], { log })).listen()
  const ask = async (head: string) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.write(`${head}\r\nHost: x\r\n\r\n`)
    await once(socket, 'close')
    return text
  }
  const close = '\r\nConnection: close'
  const upgrade = '\r\nConnection: Upgrade\r\nUpgrade: websocket'
  assert.match(await ask(`GET /taken HTTP/1.1${close}`), /200 OK.*by the plugin/s)
  assert.match(await ask(`GET /boom HTTP/1.1${close}`), /^$/)
  assert.match(await ask(`GET /taken HTTP/1.1${upgrade}`), /101 .*tunnel/s)
  assert.match(await ask(`GET /boom HTTP/1.1${upgrade}`), /^$/)
  assert.match(await ask(`GET /other HTTP/1.1${upgrade}`), /^HTTP\/1\.1 400 /)
  assert.match(await ask('CONNECT x:1 HTTP/1.1'), /^HTTP\/1\.1 405 /)
  assert.match(await ask(`GET /pong HTTP/1.1${close}`), /200 OK.*pong/s)
  assert.match(lines(), /intercept broke/)
  assert.match(lines(), /upgrade broke/)
})

test('a body beyond the limit is answered, and the connection that sends it does not linger', async t => {
  const program = await bootForTest(t, [plain({ name: 'a', setup: () => ({ routes: [pong, upload] }) })])
  const port = await program.listen()
  for (const head of ['Content-Length: 50000000', 'Transfer-Encoding: chunked']) {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.write(`POST /upload HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
    const piece = 'x'.repeat(0x1000)
    const chunk = head.startsWith('Content') ? piece : `1000\r\n${piece}\r\n`
    let writing = true
    socket.once('close', () => {
      writing = false
    })
    await eventually('it is answered', () => {
      if (writing) socket.write(chunk)
      return text.includes('413')
    })
    assert.match(text, /application\/problem\+json.*at most 100 bytes/s, head)
    await eventually('the connection ends, though more is sent', () => {
      if (writing) socket.write(chunk)
      return !writing
    })
  }
  const fits = await fetch(`http://127.0.0.1:${port}/upload`, { method: 'POST', body: 'a=1' })
  assert.equal(await fits.text(), 'took it')
})

const upload = route({
  method: 'post',
  path: '/upload',
  summary: 'Takes a body',
  guard: open,
  body: z.object({ a: z.string() }),
  limitBytes: 100,
  answers: { 200: { description: 'took it' } },
  handle: c => c.text('took it'),
})

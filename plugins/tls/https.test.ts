import assert from 'node:assert/strict'
import { once } from 'node:events'
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, it } from 'node:test'
import { connect } from 'node:tls'
import { BootError } from '../../src/boot-error.ts'
import { makeAuthority } from '../../src/testing/authority.ts'
import { eventually as eventuallyTrue } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { startEdge } from '../router/edge.fixture.ts'
import { ask, eventually, type Instance, route, startInstance, wire } from '../router/wire.fixture.ts'
import { tls } from './index.ts'
import {
  ask2,
  certificateFiles,
  containerCheck,
  dial,
  type SecureEdge,
  session,
  startSecureEdge,
  type Where,
} from './secure-edge.fixture.ts'

let edge: SecureEdge
let echo: Instance

before(async () => {
  edge = await startSecureEdge()
  echo = await startInstance('inst_echo', (request, response) => {
    response.end(JSON.stringify({ url: request.url, headers: request.headers }))
  })
  echo.server.on('upgrade', (_, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_echo\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    )
    socket.pipe(socket)
  })
  route(edge, 'echo', echo)
})
after(async () => {
  await edge.stop()
  await echo.close()
})

it('counts connections before TLS and those of HTTP/2, and closes the ones beyond the limit of their client', async t => {
  const small = await startSecureEdge({ ROUTER_CLIENT_CONNECTIONS: '4' })
  t.after(() => small.stop())
  route(small, 'echo', echo)
  const bare = Array.from({ length: 60 }, () => connectPlain(small.securePort, '127.0.0.1'))
  t.after(() => bare.forEach(each => void each.destroy()))
  for (const each of bare) each.on('error', () => undefined).resume()
  const open = () => bare.filter(each => !each.destroyed)
  await eventually(() => open().length === 4)
  await assert.rejects(dial(small, 'echo.example.test', 'h2'))
  assert.equal((await small.figures()).get('longhouse_edge_refused_total{reason="client-connections"}'), 57)
  for (const each of open()) each.destroy()

  const sessions: ReturnType<typeof session>[] = []
  await eventuallyTrue('four get in', async () => {
    const client = session(small, 'echo.example.test')
    const reply = await ask2(client, {}).catch(() => null)
    if (reply?.status === 200) sessions.push(client)
    return sessions.length === 4
  })
  await assert.rejects(ask2(session(small, 'echo.example.test'), {}))
  await assert.rejects(askSecurely(small, 'echo.example.test'))
  for (const client of sessions) assert.equal((await ask2(client, {})).status, 200)
  for (const client of sessions) client.destroy()
  await eventuallyTrue('there is room again', async () => {
    const reply = await askSecurely(small, 'echo.example.test').catch(() => null)
    return reply?.status === 200
  })
})

/** One request over HTTPS, with HTTP/1.1. */
async function askSecurely(where: Where, host: string, path = '/') {
  const outgoing = request({
    host: '127.0.0.1',
    port: where.securePort,
    servername: host,
    ca: where.authority.certificate,
    headers: { host },
    path,
    agent: false,
  })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  return { status: answer.statusCode as number, headers: answer.headers, body: await text(answer) }
}

/** The serial of the certificate that a client is shown; null when the handshake fails. */
async function shown(port: number, host: string | null): Promise<string | null> {
  return await new Promise(resolve => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...(host !== null && { servername: host }),
      rejectUnauthorized: false,
    })
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.subjectAltName ?? null)
      socket.destroy()
    })
    socket.once('error', () => resolve(null))
  })
}

it('serves the pages and the instances over HTTPS', async () => {
  assert.equal((await askSecurely(edge, 'control.example.test')).body, 'the control plane')
  const { headers } = JSON.parse((await askSecurely(edge, 'echo.example.test', '/a?b=c')).body)
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers.host, 'echo.example.test')
  assert.equal((await askSecurely(edge, 'nobody.example.test')).status, 404)
})

it('tunnels WebSockets over TLS', async () => {
  const socket = await dial(edge, 'echo.example.test', 'http/1.1')
  socket.write('GET / HTTP/1.1\r\nHost: echo.example.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  let received = ''
  socket.setEncoding('latin1').on('data', chunk => {
    received += chunk
  })
  await eventually(() => /101 [\s\S]*\r\n\r\n$/.exec(received))
  socket.write('both ways')
  await eventually(() => received.endsWith('both ways'))
  socket.destroy()
})

it('speaks HTTP/2 with those who offer it, HTTP/1.1 with all others, and nothing else', async () => {
  for (const [offered, chosen] of [
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [[], false],
  ] as const) {
    const socket = await dial(edge, 'echo.example.test', ...offered)
    assert.equal(socket.alpnProtocol, chosen)
    socket.destroy()
  }
  await assert.rejects(dial(edge, 'echo.example.test', 'acme-tls/1'))
})

it('leads from HTTP to the same address with HTTPS', async () => {
  const to = async (host: string, path: string, method = 'GET') => {
    const { status, headers } = await ask(edge, host, { path, method })
    assert.equal(status, 308)
    return headers.location
  }
  const suffix = `:${edge.securePort}`
  assert.equal(await to('echo.example.test', '/a/b?c=%20d'), `https://echo.example.test${suffix}/a/b?c=%20d`)
  assert.equal(await to('echo.example.test:8080', '//x'), `https://echo.example.test${suffix}//x`)
  assert.equal(await to('control.example.test', '/', 'POST'), `https://control.example.test${suffix}/`)
  assert.equal(await to('shop.example', '/'), `https://shop.example${suffix}/`)
  const absolute =
    'GET http://echo.example.test/x?y HTTP/1.1\r\nHost: echo.example.test\r\nConnection: close\r\n\r\n'
  assert.match(await wire(edge, absolute).ended(), /Location: https:\/\/echo\.example\.test:\d+\/x\?y\r\n/)
  for (const hosts of ['', 'Host: a\r\nHost: b\r\n', 'Host: a b\r\n', 'Host: a/b\r\n']) {
    assert.match(
      await wire(edge, `GET / HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`).ended(),
      /^HTTP\/1\.1 400 /,
    )
  }
  const body =
    'POST / HTTP/1.1\r\nHost: echo.example.test\r\nContent-Length: 30\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n'
  const answers = await wire(edge, body).ended()
  assert.equal(answers.match(/^HTTP/gm)?.length, 1)
})

it('is healthy for the check of its container, with HTTPS and without', async t => {
  assert.equal(await containerCheck(edge), '200 0')
  const plain = await startEdge({ LONGHOUSE_DOMAIN: 'example.test' })
  t.after(() => plain.stop())
  assert.equal(await containerCheck(plain), '200 0')
})

it('answers /health by address over HTTP, and no challenge that it does not know', async () => {
  assert.equal((await ask(edge, `127.0.0.1:${edge.port}`, { path: '/health' })).body, '{"status":"ok"}')
  assert.equal((await ask(edge, 'control.example.test', { path: '/health' })).status, 308)
  const challenge = await ask(edge, 'echo.example.test', { path: '/.well-known/acme-challenge/x' })
  assert.equal(challenge.status, 404)
})

it('shows each client the certificate for its host, and all others that of the site', async t => {
  const shop = certificateFiles(edge.authority, temporaryFolder(t), 'shop.example', '*.shop.example')
  const site = certificateFiles(edge.authority, temporaryFolder(t), 'example.test', '*.example.test')
  const both = await startEdge(
    {
      LONGHOUSE_DOMAIN: 'example.test',
      TLS_MODE: 'files',
      TLS_PORT: '0',
      TLS_CERTIFICATE_FILES: `${shop.TLS_CERTIFICATE_FILES}, ${site.TLS_CERTIFICATE_FILES}`,
      TLS_KEY_FILES: `${shop.TLS_KEY_FILES},${site.TLS_KEY_FILES}`,
    },
    undefined,
    [tls],
  )
  t.after(() => both.stop())
  const port = both.securePort as number
  for (const host of ['shop.example', 'SHOP.example', 'a.shop.example']) {
    assert.match((await shown(port, host)) ?? '', /DNS:shop\.example/, host)
  }
  for (const host of ['control.example.test', 'a.b.shop.example', 'other.example', null]) {
    assert.match((await shown(port, host)) ?? '', /DNS:example\.test/, String(host))
  }
})

it('follows files that change, also by a link that is pointed elsewhere, and keeps the last good ones', async t => {
  const folder = temporaryFolder(t)
  const live = join(folder, 'live')
  const point = (to: string) => {
    symlinkSync(to, `${live}.next`)
    renameSync(`${live}.next`, live)
  }
  const made = (name: string) => {
    const { cert, key } = edge.authority.sign('example.test', '*.example.test', `${name}.example`)
    const path = temporaryFolder(t)
    writeFileSync(join(path, 'fullchain.pem'), cert)
    writeFileSync(join(path, 'privkey.pem'), key)
    return path
  }
  const first = made('first')
  point(first)
  const linked = await startSecureEdge({
    TLS_CERTIFICATE_FILES: join(live, 'fullchain.pem'),
    TLS_KEY_FILES: join(live, 'privkey.pem'),
  })
  t.after(() => linked.stop())
  const becomes = (name: string, host: string | null) =>
    eventually(() => {
      void shown(linked.securePort, host).then(found => {
        current = found ?? ''
      })
      return current.includes(`${name}.example`)
    })
  let current = ''
  await becomes('first', 'control.example.test')
  const second = made('second')
  point(second)
  await becomes('second', 'control.example.test')
  await becomes('second', null)
  // A certificate whose key has not come yet is not taken, and is once it has.
  const { cert, key } = edge.authority.sign('example.test', 'third.example')
  writeFileSync(join(second, 'fullchain.pem'), cert)
  assert.match((await shown(linked.securePort, 'example.test')) ?? '', /second\.example/)
  writeFileSync(join(second, 'privkey.pem'), key)
  await becomes('third', 'example.test')
})

it('names every fault of the settings', async t => {
  const authority = makeAuthority(t)
  const folder = temporaryFolder(t)
  const good = certificateFiles(authority, folder, 'example.test')
  const other = certificateFiles(authority, temporaryFolder(t), 'example.test')
  writeFileSync(join(folder, 'not.pem'), 'no certificate')
  for (const [env, fault] of [
    [{ ...good, ROUTER_MODE: 'behind' }, /TLS_MODE: needs ROUTER_MODE=direct/],
    [
      { ...good, LONGHOUSE_PUBLIC_URL: 'http://control.localhost' },
      /LONGHOUSE_PUBLIC_URL: must begin with https/,
    ],
    [{ ...good, LONGHOUSE_PORT: '8080', TLS_PORT: '8080' }, /TLS_PORT: must not be LONGHOUSE_PORT/],
    [{ ...good, TLS_KEY_FILES: other.TLS_KEY_FILES }, /fullchain\.pem and the key do not belong together/],
    [{ ...good, TLS_KEY_FILES: '' }, /TLS_KEY_FILES: must name one file for each/],
    [
      { ...good, TLS_KEY_FILES: join(folder, 'none') },
      /TLS_KEY_FILES: the key \S+none cannot be read \(ENOENT\)/,
    ],
    [{ ...good, TLS_CERTIFICATE_FILES: join(folder, 'not.pem') }, /not\.pem holds no certificate/],
    [{ TLS_MODE: 'files' }, /TLS_CERTIFICATE_FILES: must name the files/],
    [{ ...good, TLS_MODE: 'off' }, /TLS_CERTIFICATE_FILES: is only for TLS_MODE=files/],
    [{ TLS_MODE: 'on' }, /TLS_MODE: must be off, files or acme/],
    [{ LONGHOUSE_PROXY_PROTOCOL: 'here' }, /LONGHOUSE_PROXY_PROTOCOL: "here" is not an address/],
  ] as const) {
    await assert.rejects(startEdge(env, undefined, [tls]), (error: unknown) => {
      assert.ok(error instanceof BootError)
      assert.match(error.message, fault)
      return true
    })
  }
})

it('lets answers in progress end when it stops, also over HTTP/2', async t => {
  const stopping = await startSecureEdge()
  let answer: (() => void) | undefined
  const slow = await startInstance('inst_slow', (_, response) => {
    answer = () => response.end('in the end')
  })
  t.after(() => slow.close())
  route(stopping, 'slow', slow)
  const client = session(stopping, 'slow.example.test')
  const asked = ask2(client, {})
  const idle = session(stopping, 'control.example.test')
  assert.equal((await ask2(idle, {})).status, 200)
  await eventually(() => answer)
  const stopped = stopping.stop()
  answer?.()
  assert.equal((await asked).body, 'in the end')
  await stopped
})

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startNameServer } from '../plugins/domains/name-server.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { startLonghouse } from './longhouse.fixture.ts'

const skip = spawnSync('caddy', ['version']).error ? 'caddy is not installed' : false

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A Caddy as in docs/operate/proxy.md, with its own certificate authority. Returns what asks it over TLS. */
async function caddyBefore(t: TestContext, ports: { https: number; control: number }) {
  const folder = temporaryFolder(t)
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{
	admin off
	skip_install_trust
	auto_https disable_redirects
	https_port ${ports.https}
	on_demand_tls {
		ask http://127.0.0.1:${ports.control}/internal/tls-ask
	}
}
https:// {
	tls internal {
		on_demand
	}
	reverse_proxy 127.0.0.1:${ports.control}
}
`,
  )
  const caddy = spawn('caddy', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: 'ignore',
  })
  t.after(() => caddy.kill())
  const authority = join(folder, 'caddy/pki/authorities/local/root.crt')
  await eventually('Caddy has made its certificate authority', () => existsSync(authority))
  const ca = readFileSync(authority)

  return async (
    host: string,
    path: string,
    { method = 'GET', headers = {}, body }: Ask = {},
  ): Promise<Answer> => {
    const outgoing = request({
      ...{ host: '127.0.0.1', port: ports.https, servername: host, ca, agent: false, method, path },
      headers: { Host: `${host}:${ports.https}`, ...headers },
    })
    outgoing.end(body)
    const [message] = await once(outgoing, 'response')
    return { status: message.statusCode, headers: message.headers, text: await text(message) }
  }
}

test('Caddy serves a proven domain over TLS, and gets a certificate for no other; the instance works under it', {
  skip,
  timeout: 300_000,
}, async t => {
  const dns = await startNameServer(t)
  const [https, port] = [await freePort(), await freePort()]
  const longhouse = await startLonghouse(t, {
    driver: 'process',
    env: {
      DOMAINS_RESOLVERS: dns.address,
      LONGHOUSE_PORT: String(port),
      ROUTER_MODE: 'behind',
      LONGHOUSE_PUBLIC_URL: `https://control.localhost:${https}`,
    },
  })
  const visit = await caddyBefore(t, { https, control: longhouse.port })
  const { password } = await longhouse.provision('acme')
  await eventually(
    'Caddy serves the instance at its address on the site',
    async () => (await visit('acme.localhost', '/api/health').catch(() => null))?.status === 200,
  )
  const refusedFor = (host: string) => assert.rejects(visit(host, '/'), /alert|SSL|TLS|socket|ECONN/i, host)

  const at = '/admin/instances/acme/domains'
  const claim = (await longhouse.admin(at, { body: { domain: 'jobs.acme.test' } })).json<{
    proof: { name: string; value: string }
  }>()
  await refusedFor('jobs.acme.test')
  dns.records.set(claim.proof.name, [claim.proof.value])
  const proven = await longhouse.admin(`${at}/jobs.acme.test/check`, { body: {} })
  assert.equal(proven.json<{ state: string }>().state, 'active')

  const host = 'jobs.acme.test'
  assert.equal((await visit(host, '/api/health')).status, 200)
  for (const other of ['x.acme.test', 'evil.test', 'nobody.localhost']) await refusedFor(other)
  assert.equal(
    (await visit(host, '/internal/tls-ask?domain=jobs.acme.test')).status,
    404,
    'the instance answers',
  )

  // Forms, cookies and links of the instance work under the domain.
  const page = { Accept: 'text/html' }
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const own = { ...page, ...form, Origin: `https://${host}:${https}` }
  const login = await visit(host, '/login', { headers: page })
  assert.equal(login.status, 200)
  assert.doesNotMatch(login.text, /(href|action)="https?:/)
  const body = new URLSearchParams({ password }).toString()
  const signedIn = await visit(host, '/api/auth/password', { method: 'POST', headers: own, body })
  assert.equal(signedIn.status, 303, signedIn.text)
  assert.match(signedIn.headers.location ?? '', /^\//)
  const [cookie = ''] = (signedIn.headers['set-cookie'] ?? []).filter(line => /_session=/.test(line))
  assert.match(cookie, /^__Host-longhouse_session=[\w-]+; .*Secure/)
  const headers = { ...page, Cookie: cookie.split(';')[0] ?? '' }
  assert.match((await visit(host, '/', { headers })).text, /daily-digest/)
  const foreign = await visit(host, '/api/jobs/daily-digest/run', {
    method: 'POST',
    headers: { ...headers, ...form, Origin: 'https://evil.test' },
  })
  assert.equal(foreign.status, 403)
  const run = await visit(host, '/api/jobs/daily-digest/run', {
    method: 'POST',
    headers: { ...headers, ...form, Origin: `https://${host}:${https}` },
  })
  assert.ok(run.status < 400, `${run.status} ${run.text}`)
})

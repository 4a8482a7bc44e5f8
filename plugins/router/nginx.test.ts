import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bootForTest, plain } from '../../control-plane/boot.fixture.ts'
import { open, route } from '../../src/http/route.ts'
import { ask } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { listening } from './wire.fixture.ts'

const skip =
  spawnSync('nginx', ['-v']).error && !process.env.LONGHOUSE_DEMAND_ALL
    ? 'nginx is not installed (apt-get install nginx-light)'
    : false

/** The block of the guide without TLS, on a port of its own before ours. */
async function startNginx(t: TestContext, upstream: number): Promise<number> {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/operate/proxy.md'), 'utf8')
  const block = /```nginx\n([\s\S]*?)```/.exec(guide)?.[1] ?? ''
  const probe = createServer()
  const port = await listening(probe)
  await new Promise(resolve => probe.close(resolve))
  const folder = temporaryFolder(t)
  const site = block
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
    .replace(/^\s*ssl_.*$/gm, '')
    .replaceAll('example.com', 'localhost')
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${upstream}`)
  assert.match(site, new RegExp(`proxy_pass http://127.0.0.1:${upstream};`))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; ${paths.join(' ')}\n${site}\n}`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('close', resolve))
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await eventually('nginx answers', () =>
    ask({ port, host: `control.localhost:${port}`, path: '/name' }).then(
      reply => reply.status === 200,
      () => false,
    ),
  )
  return port
}

test('behind the guide’s nginx on a port other than 443, our own forms are accepted and others’ refused', {
  skip,
}, async t => {
  const page = {
    name: 'page',
    setup: () => ({
      routes: [
        route({
          method: 'get',
          path: '/name',
          summary: 'Names the host',
          guard: open,
          answers: {},
          handle: c => c.text(c.req.header('host') ?? ''),
        }),
        route({
          method: 'post',
          path: '/form',
          summary: 'Takes a form',
          guard: open,
          answers: {},
          handle: c => c.text('taken'),
        }),
      ],
    }),
  }
  const program = await bootForTest(t, [plain(page)], { env: { ROUTER_MODE: 'behind' } })
  const port = await startNginx(t, await program.listen())
  const host = `control.localhost:${port}`
  const post = async (origin: string) =>
    (await ask({ port, host, method: 'POST', path: '/form', headers: { Origin: origin } })).status
  const named = await ask({ port, host, path: '/name' })
  assert.equal(named.text, host, 'the port is part of the host')
  assert.equal(await post(`http://${host}`), 200)
  assert.equal(await post('http://control.localhost'), 403)
  assert.equal(await post(`http://tenant.localhost:${port}`), 403)
})

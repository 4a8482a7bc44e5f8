import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ask } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { type OwnerBrowser, openTown } from '../owners/owners.fixture.ts'
import { wire } from '../router/wire.fixture.ts'
import { gate } from './index.ts'

const page = { Accept: 'text/html' }

async function openCastle(t: TestContext, env: Record<string, string> = {}) {
  const town = await openTown(t, { plugins: [gate], env })
  const ada = await town.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  const host = `acme.localhost:${town.port}`
  const visit = (path: string, cookie = '', headers: Record<string, string> = page, at = host) =>
    ask({ port: town.port, host: at, path, headers: { ...headers, ...(cookie && { Cookie: cookie }) } })
  const kept = (reply: Awaited<ReturnType<typeof visit>>) =>
    reply.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  /** Goes the whole way in a browser; returns its pass, or where the way ended. */
  const enter = async (browser: OwnerBrowser, at = host) => {
    const first = await visit('/jobs?x=1', '', page, at)
    assert.equal(first.status, 303)
    const { pathname, search } = new URL(first.headers.location ?? '')
    const through = await browser.visit(pathname + search)
    const there = through.headers.location ?? ''
    if (!there.includes('/.longhouse/gate?'))
      return { status: through.status, there, text: through.text, pass: '' }
    const back = new URL(there)
    assert.equal(back.host, at)
    const inside = await visit(back.pathname + back.search, kept(first), page, at)
    assert.equal(inside.headers.location, '/jobs?x=1')
    return { status: 200, there, text: '', pass: kept(inside) }
  }
  const close = (paths: string[] = []) =>
    ada.call('PUT', '/instances/acme/gate', { closed: true, public_paths: paths })
  return { ...town, ada, visit, enter, close }
}

test('a closed gate lets the owner and the operator through, and sends everyone else away', async t => {
  const town = await openCastle(t)
  assert.equal((await town.visit('/')).status, 200)
  assert.deepEqual((await town.ada.call('GET', '/instances/acme/gate')).json(), {
    closed: false,
    public_paths: [],
  })
  assert.deepEqual((await town.close(['/badges/'])).json(), { closed: true, public_paths: ['/badges'] })
  assert.equal((await town.visit('/api/jobs', '', {})).status, 401)
  assert.equal((await town.visit('/badges/x')).status, 200)

  const { pass } = await town.enter(town.ada)
  assert.equal((await town.visit('/', pass)).status, 200)
  const eve = await town.owner('eve')
  const refused = await town.enter(eve)
  assert.equal(refused.status, 403)
  assert.match(refused.text, /is not the owner of “acme”/)
  const stranger = await town.enter(town.browser())
  assert.match(stranger.there, /^\/sign-in\?next=%2Fgate%3Fhost%3Dacme\.localhost/)
  const operator = town.browser()
  await operator.visit('/login', { token: 'a-token-that-only-the-operator-has' })
  assert.equal((await town.visit('/', (await town.enter(operator)).pass)).status, 200)

  for (const method of ['GET', 'PUT'])
    assert.equal(
      (await eve.call(method, '/instances/acme/gate', method === 'PUT' ? { closed: false } : undefined))
        .status,
      404,
    )
  assert.equal((await town.browser().call('PUT', '/instances/acme/gate', { closed: false })).status, 401)
  await town.ada.call('PUT', '/instances/acme/gate', { closed: false })
  assert.equal((await town.visit('/')).status, 200)
})

test('signing out everywhere, a transfer and closing anew end passes', async t => {
  const town = await openCastle(t)
  await town.close()
  const first = (await town.enter(town.ada)).pass
  const phone = town.browser()
  await phone.signIn('ada')
  const second = (await town.enter(phone)).pass
  const statuses = async () => [(await town.visit('/', first)).status, (await town.visit('/', second)).status]
  assert.deepEqual(await statuses(), [200, 200])
  await phone.call('POST', '/account/sessions/end-others', {})
  await town.program.runOnce('gate:follow-sessions')
  assert.deepEqual(await statuses(), [303, 200])
  await phone.call('PUT', '/instances/acme/gate', { closed: false })
  await phone.call('PUT', '/instances/acme/gate', { closed: true })
  assert.deepEqual(await statuses(), [303, 303])
  const third = (await town.enter(phone)).pass
  assert.equal((await town.visit('/', third)).status, 200)
  await town.admin('POST', '/admin/instances/acme/transfer', {
    body: { owner_email: 'bob@example.com' },
    wait: 60,
  })
  assert.equal((await town.visit('/', third)).status, 303)
  assert.equal((await town.enter(phone)).status, 403)
})

test('through workers, an owner passes, and open streams and WebSockets end with the session', async t => {
  const town = await openCastle(t, { ROUTER_WORKERS: '1' })
  await town.close()
  await eventually('the gate is closed', async () => (await town.visit('/')).status === 303)
  const laptop = (await town.enter(town.ada)).pass
  const phone = town.browser()
  await phone.signIn('ada')
  await town.program.runOnce('gate:follow-sessions')
  const opened = async (pass: string) => {
    const head = `Host: acme.localhost:${town.port}\r\nCookie: ${pass}\r\n`
    const stream = wire(town, `GET /events HTTP/1.1\r\n${head}\r\n`)
    const socket = wire(town, `GET /ws HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    t.after(() => [stream, socket].forEach(each => void each.socket.destroy()))
    await stream.until(/^HTTP\/1\.1 200 [\s\S]*data: 1/)
    await socket.until(/^HTTP\/1\.1 101 /)
    return { stream, socket }
  }
  const mine = await opened(laptop)
  await phone.call('POST', '/account/sessions/end-others', {})
  await town.program.runOnce('gate:follow-sessions')
  await mine.stream.until(/: Who may open the instance has changed/)
  await mine.socket.until(/Who may open the instance has changed/)
  assert.equal((await town.visit('/', laptop)).status, 303)
  const other = (await town.enter(phone)).pass
  assert.equal((await town.visit('/', other)).status, 200)
  const theirs = await opened(other)
  await phone.call('PUT', '/instances/acme/gate', { closed: false })
  await phone.call('PUT', '/instances/acme/gate', { closed: true })
  await theirs.socket.until(/Who may open the instance has changed/)
})

test('the control plane redirects only to hosts of the instance', async t => {
  const town = await openCastle(t)
  await town.close()
  town.program.services.router?.setRule('acme', 'hosts', ['jobs.acme.test'])
  const state = 's'.repeat(43)
  const asks = async (host: string, path = '/') =>
    await town.ada.visit(`/gate?${new URLSearchParams({ host, state, path })}`)
  const there = async (host: string) => new URL((await asks(host)).headers.location ?? '').origin
  assert.equal(await there('JOBS.acme.test:1'), `http://jobs.acme.test:${town.port}`)
  assert.equal(await there('acme.localhost'), `http://acme.localhost:${town.port}`)
  for (const host of [
    'evil.test',
    'control.localhost',
    'localhost',
    'x.acme.localhost',
    'acme.localhost@evil.test',
    '//evil.test',
  ])
    assert.equal((await asks(host)).status, 404, host)
  assert.equal((await town.ada.visit('/gate?host=acme.localhost&state=short')).status, 422)
  const { pass } = await town.enter(town.ada, `jobs.acme.test:${town.port}`)
  assert.equal((await town.visit('/', pass, page, 'jobs.acme.test')).status, 200)
  assert.equal((await town.visit('/', pass)).status, 303, 'each host needs a pass of its own')

  // After a form’s sign-in, a page leads on.
  const signedIn = await town.ada.visit(
    `/gate?${new URLSearchParams({ host: 'acme.localhost', state, signed_in: '1' })}`,
  )
  assert.equal(signedIn.status, 200)
  assert.match(
    String(signedIn.headers.refresh),
    /^0; url=http:\/\/acme\.localhost:\d+\/\.longhouse\/gate\?ticket=/,
  )
})

test('bad paths are refused with the field; the page shows what was typed', async t => {
  const town = await openCastle(t)
  for (const path of ['hooks', '/', '/a?b', '/a/../b', '/a%2fb', '//a', '/a//b', '/a#b', '/..'])
    assert.equal((await town.close([path])).status, 422, path)
  const reply = await town.close(['/ok', 'bad'])
  assert.match(reply.json<{ errors: { path: string }[] }>().errors[0]?.path ?? '', /^public_paths/)
  assert.equal((await town.visit('/')).status, 200, 'nothing was changed')
  const form = await town.ada.visit('/instances/acme/gate', { closed: 'true', public_paths: '/ok bad' })
  assert.equal(form.status, 422)
  assert.match(form.text, /value="\/ok bad"/)
  assert.equal(
    (await town.ada.visit('/instances/acme/gate', { closed: 'true', public_paths: '/ok  /b' })).status,
    303,
  )
  const { body } = await town.admin('GET', '/admin/instances/acme/gate')
  assert.deepEqual(body as unknown, { closed: true, public_paths: ['/ok', '/b'] })
  assert.equal(
    (await town.admin('PUT', '/admin/instances/acme/gate', { body: { closed: false } })).status,
    200,
  )
  assert.equal((await town.visit('/')).status, 200)
})

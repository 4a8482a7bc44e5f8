import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { adminToken, browser, openGate } from './auth.fixture.ts'

const hour = 3_600_000
const origin = 'http://control.localhost'

test('signing in on the page sets a cookie that works, and redirects', async t => {
  const { ask, signIn } = await openGate(t)
  const page = await ask('/login?next=/vault', { headers: browser })
  assert.equal(page.status, 200)
  const html = await page.text()
  assert.match(html, /<form method="post" action="\/login"/)
  assert.match(html, /name="next" value="\/vault"/)

  const { response, cookie } = await signIn(adminToken, { next: '/vault' })
  assert.equal(response.status, 303)
  assert.equal(response.headers.get('location'), '/vault')
  const opened = await ask('/vault', { headers: { ...browser, Cookie: cookie } })
  assert.equal(opened.status, 200)
  assert.equal(await opened.text(), 'gold')
  assert.equal(opened.headers.get('cache-control'), 'no-store')
  assert.equal((await ask('/vault', { headers: { Cookie: `${cookie}x` } })).status, 401)
  assert.equal((await ask('/vault', { headers: { Cookie: 'longhouse_session=' } })).status, 401)
})

test('scripts sign in with JSON, and get a problem when refused', async t => {
  const { ask } = await openGate(t)
  const post = (body: string) => ask('/login', { method: 'POST', body })
  const good = await post(JSON.stringify({ token: adminToken }))
  assert.equal(good.status, 204)
  assert.match(good.headers.get('set-cookie') ?? '', /^longhouse_session=/)
  const bad = await post('{"token":"no"}')
  assert.equal(bad.status, 401)
  assert.match(bad.headers.get('www-authenticate') ?? '', /^Bearer/)
  assert.equal(bad.headers.get('set-cookie'), null)
  for (const body of ['{}', '{"token":""}', '{"token":5}', '{"token":["a","b"]}', '']) {
    const response = await post(body)
    assert.equal(response.status, 422, body)
    const { errors } = (await response.json()) as { errors: { path: string; message: string }[] }
    assert.deepEqual(errors, [{ path: 'token', message: 'must be the admin token' }])
  }
})

test('a refused browser sees the form again, with the error beside the field', async t => {
  const { signIn } = await openGate(t)
  for (const [token, status, words] of [
    ['wrong', 401, /is not the admin token/],
    ['', 422, /Enter the admin token/],
  ] as const) {
    const { response, cookie } = await signIn(token, { next: '/vault' })
    assert.equal(response.status, status)
    assert.equal(cookie, '')
    const html = await response.text()
    assert.match(html, words)
    assert.match(html, /name="next" value="\/vault"/, 'it still knows where to go on to')
    assert.doesNotMatch(html, /value="wrong"/)
  }
})

test('the cookie is HttpOnly and SameSite, and bound to the host over HTTPS', async t => {
  const plain = await (await openGate(t)).signIn()
  const attributes = (response: Response) =>
    (response.headers.get('set-cookie') ?? '').split('; ').slice(1).sort()
  assert.match(plain.cookie, /^longhouse_session=[\w-]{43}$/)
  assert.deepEqual(attributes(plain.response), ['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Lax'])

  const gate = await openGate(t, { env: { LONGHOUSE_PUBLIC_URL: 'https://control.localhost' } })
  const secure = await gate.signIn()
  assert.match(secure.cookie, /^__Host-longhouse_session=[\w-]{43}$/)
  assert.deepEqual(attributes(secure.response), [
    'HttpOnly',
    'Max-Age=604800',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ])
  assert.equal((await gate.ask('/vault', { headers: { Cookie: secure.cookie } })).status, 200)
  const renamed = secure.cookie.replace('__Host-', '')
  assert.equal(
    (await gate.ask('/vault', { headers: { Cookie: renamed } })).status,
    401,
    'a sibling could set that',
  )
})

test('a session lasts twelve hours from its last use, and seven days at most', async t => {
  const { ask, signIn, clock } = await openGate(t)
  const status = async (cookie: string) => (await ask('/vault', { headers: { Cookie: cookie } })).status
  const idle = await signIn()
  clock.advance(12 * hour - 1)
  assert.equal(await status(idle.cookie), 200)
  clock.advance(12 * hour - 1)
  assert.equal(await status(idle.cookie), 200, 'its use moved the end')
  clock.advance(12 * hour)
  assert.equal(await status(idle.cookie), 401)

  const busy = await signIn()
  for (let hours = 6; hours < 7 * 24; hours += 6) {
    clock.advance(6 * hour)
    assert.equal(await status(busy.cookie), 200, `after ${hours} hours`)
  }
  clock.advance(6 * hour)
  assert.equal(await status(busy.cookie), 401)
})

test('signing out ends this session and no other', async t => {
  const { ask, signIn } = await openGate(t)
  const [mine, other] = [(await signIn()).cookie, (await signIn()).cookie]
  assert.notEqual(mine, other)
  const out = await ask('/logout', { method: 'POST', headers: { ...browser, Cookie: mine } })
  assert.equal(out.status, 303)
  assert.equal(out.headers.get('location'), '/login')
  assert.match(out.headers.get('set-cookie') ?? '', /^longhouse_session=; Max-Age=0/)
  assert.equal((await ask('/vault', { headers: { Cookie: mine } })).status, 401)
  assert.equal((await ask('/vault', { headers: { Cookie: other } })).status, 200)
  assert.equal((await ask('/logout', { method: 'POST' })).status, 204, 'without a session too')
  assert.equal((await ask('/logout')).status, 405, 'a link does not sign anybody out')
})

test('sessions survive a restart but not a new admin token; the database contains no secret', async t => {
  const env = { LONGHOUSE_DATA_ROOT: temporaryFolder(t) }
  const first = await openGate(t, { env })
  const { cookie } = await first.signIn()
  await first.program.stop()

  const second = await openGate(t, { env, clock: first.clock })
  assert.equal((await second.ask('/vault', { headers: { Cookie: cookie } })).status, 200)
  await second.program.stop()

  const changed = { ...env, ADMIN_TOKEN: 'another-token-of-length' }
  const third = await openGate(t, { env: changed, clock: first.clock })
  assert.equal((await third.ask('/vault', { headers: { Cookie: cookie } })).status, 401)
  await third.program.stop()

  const kept = readFileSync(join(env.LONGHOUSE_DATA_ROOT, '.control/longhouse.db'), 'latin1')
  assert.ok(kept.includes('auth_sessions'))
  assert.ok(!kept.includes(cookie.split('=')[1] ?? cookie))
  assert.ok(!kept.includes(adminToken))
})

test('expired sessions are pruned, valid ones are kept', async t => {
  const { ask, signIn, clock, program } = await openGate(t)
  await signIn()
  clock.advance(13 * hour)
  const { cookie } = await signIn()
  await program.runOnce('auth:prune-sessions')
  assert.equal((await ask('/vault', { headers: { Cookie: cookie } })).status, 200)
})

test('signing in redirects only within this site', async t => {
  const { ask, signIn } = await openGate(t)
  const traps = [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
  ]
  for (const next of traps) {
    assert.equal(
      (await signIn(adminToken, { next })).response.headers.get('location'),
      '/admin/overview',
      next,
    )
    const html = await (await ask(`/login?next=${encodeURIComponent(next)}`, { headers: browser })).text()
    assert.match(html, /name="next" value="\/admin\/overview"/, next)
  }
  const quoted = await (await ask('/login?next=/%22%3E%3Cscript%3E', { headers: browser })).text()
  assert.doesNotMatch(quoted, /"><script>/)
})

test('another site’s page can sign no one in or out', async t => {
  const { ask, signIn } = await openGate(t)
  const { cookie } = await signIn()
  const body = new URLSearchParams({ token: adminToken })
  const theirs: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'http://tenant.localhost' },
    { Origin: 'null' },
  ]
  for (const headers of theirs) {
    const login = await ask('/login', { method: 'POST', body, headers: { ...browser, ...headers } })
    assert.equal(login.status, 403, JSON.stringify(headers))
    assert.equal(login.headers.get('set-cookie'), null)
    const logout = await ask('/logout', { method: 'POST', headers: { ...headers, Cookie: cookie } })
    assert.equal(logout.status, 403)
    const change = await ask('/vault', { method: 'POST', headers: { ...headers, Cookie: cookie } })
    assert.equal(change.status, 403)
  }
  const ours = { Host: 'control.localhost', Origin: origin, 'Sec-Fetch-Site': 'same-origin', Cookie: cookie }
  assert.equal((await ask('/vault', { method: 'POST', headers: ours })).status, 200)
  assert.equal((await ask('/logout', { method: 'POST', headers: ours })).status, 204)
})

test('the first page redirects to the instances', async t => {
  const { ask } = await openGate(t)
  const response = await ask('/')
  assert.equal(response.status, 303)
  assert.equal(response.headers.get('location'), '/admin/overview')
})

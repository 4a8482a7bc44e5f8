import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { browser, cookieOf, password, postForm, postJson, startWeb } from '../web/web.fixture.ts'

const day = 24 * 3_600_000

test('the right password starts a session, whose cookie scripts cannot read', async t => {
  const { app } = await startWeb(t)
  const answer = await postJson(app, '/api/auth/password', { password })
  assert.equal(answer.status, 200)
  assert.match(
    answer.headers.get('set-cookie') ?? '',
    /^longhouse_session=[\w-]{43}; .*HttpOnly; SameSite=Lax/,
  )
  const signedIn = await app.request('/api/jobs', { headers: { Cookie: cookieOf(answer) } })
  assert.equal(signedIn.status, 200)
})

test('over HTTPS the cookie has the __Host- prefix and Secure', async t => {
  const { app } = await startWeb(t, { publicUrl: 'https://acme.example.com' })
  const answer = await postJson(app, '/api/auth/password', { password })
  assert.match(answer.headers.get('set-cookie') ?? '', /^__Host-longhouse_session=.*; Secure/)
})

test('a wrong password is refused with an error, for scripts and for people', async t => {
  const { app } = await startWeb(t)
  const script = await postJson(app, '/api/auth/password', { password: 'wrong' })
  assert.equal(script.status, 401)
  assert.equal(((await script.json()) as { type: string }).type, 'urn:longhouse:problem:wrong-password')
  assert.equal(script.headers.get('set-cookie'), null)
  const person = await postForm(app, '/api/auth/password', { password: 'wrong', next: '/repo' })
  assert.equal(person.status, 401)
  const page = await person.text()
  assert.match(page, /aria-invalid="true"/)
  assert.match(page, /name="next" value="\/repo"/)
})

test('a body without a password gets an error that names the field', async t => {
  const { app } = await startWeb(t)
  const script = await postJson(app, '/api/auth/password', { pass: 'x' })
  assert.equal(script.status, 422)
  assert.deepEqual(((await script.json()) as { errors: unknown }).errors, [
    { path: 'password', message: 'must be the password as a text' },
    { path: 'pass', message: 'is not a field here; there is "password", "username", "next"' },
  ])
  const person = await postForm(app, '/api/auth/password', { password: '' })
  assert.equal(person.status, 422)
  assert.match(await person.text(), /must not be empty/)
})

test('a redirect target that is not text is refused by name, for scripts and for people', async t => {
  const { app } = await startWeb(t)
  for (const next of [{ toString: 1 }, ['/a', '/b'], 7]) {
    const script = await postJson(app, '/api/auth/password', { password, next })
    assert.equal(script.status, 422)
    assert.match(await script.text(), /"path":"next"/)
    const person = await postJson(app, '/api/auth/password', { password, next }, browser)
    assert.equal(person.status, 422)
    assert.match(await person.text(), /The next must be a path of this site/)
  }
})

test('signing in replaces a session cookie that the browser sent', async t => {
  const { app } = await startWeb(t)
  const Cookie = `longhouse_session=${'a'.repeat(43)}`
  const answer = await postJson(app, '/api/auth/password', { password }, { Cookie })
  assert.equal(answer.status, 200)
  assert.notEqual(cookieOf(answer), Cookie)
  assert.equal((await app.request('/api/jobs', { headers: { Cookie } })).status, 401)
  assert.equal((await app.request('/api/jobs', { headers: { Cookie: cookieOf(answer) } })).status, 200)
})

test('signing in redirects to the requested page, and never to another site', async t => {
  const { app, signIn } = await startWeb(t)
  const refused = await app.request('/jobs/job?offset=5', { headers: browser })
  assert.equal(refused.status, 303)
  assert.equal(refused.headers.get('location'), `/login?next=${encodeURIComponent('/jobs/job?offset=5')}`)
  const on = await postForm(app, '/api/auth/password', { password, next: '/jobs/job?offset=5' })
  assert.equal(on.status, 303)
  assert.equal(on.headers.get('location'), '/jobs/job?offset=5')
  for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', '/x/..//evil.example']) {
    const answer = await postForm(app, '/api/auth/password', { password, next })
    assert.equal(answer.headers.get('location'), '/', next)
    const Cookie = await signIn()
    const already = await app.request(`/login?next=${encodeURIComponent(next)}`, {
      headers: { ...browser, Cookie },
    })
    assert.equal(already.headers.get('location'), '/', next)
  }
})

test('after ten wrong passwords an address is slowed down; the right password still signs in, and so do other addresses', async t => {
  const clock = manualClock()
  const { app } = await startWeb(t, { clock })
  const from = (address: string) => ({ 'X-Forwarded-For': address })
  const wrong = () => postJson(app, '/api/auth/password', { password: 'wrong' }, from('203.0.113.7'))
  for (let i = 0; i < 10; i++) assert.equal((await wrong()).status, 401)
  const slow = await wrong()
  assert.equal(slow.status, 429)
  assert.equal(slow.headers.get('retry-after'), '2')
  const soon = await postJson(app, '/api/auth/password', { password }, from('203.0.113.7'))
  assert.equal(soon.status, 429, 'one try every two seconds is compared')
  assert.equal(soon.headers.get('retry-after'), '2')
  const page = await postForm(app, '/api/auth/password', { password }, from('203.0.113.7'))
  assert.equal(page.status, 429)
  assert.match(await page.text(), /Too many failed attempts. Try again in 2 seconds/)
  const other = await postJson(app, '/api/auth/password', { password }, from('203.0.113.8'))
  assert.equal(other.status, 200)
  clock.advance(2000)
  const right = await postJson(app, '/api/auth/password', { password }, from('203.0.113.7'))
  assert.equal(right.status, 200)
})

test('guesses from many addresses are slowed down, and lock no one out', async t => {
  const clock = manualClock()
  const { app } = await startWeb(t, { clock })
  const from = (i: number) => ({ 'X-Forwarded-For': `[2a01:${i}::1]:50001` })
  const statuses: number[] = []
  for (let i = 0; i < 120; i++) {
    statuses.push((await postJson(app, '/api/auth/password', { password: 'wrong' }, from(i))).status)
  }
  assert.equal(statuses.filter(status => status === 401).length, 101)
  clock.advance(200)
  const right = await postJson(app, '/api/auth/password', { password }, from(500))
  assert.equal(right.status, 200)
})

test('a browser that signed in before has its own limit; a forged one does not', async t => {
  const clock = manualClock()
  const { app } = await startWeb(t, { clock })
  const signedIn = await postJson(app, '/api/auth/password', { password })
  const mark = signedIn.headers.getSetCookie().find(each => each.startsWith('longhouse_browser='))
  assert.match(mark ?? '', /HttpOnly/)
  const Cookie = mark?.split(';', 1)[0] ?? ''
  for (let i = 0; i < 12; i++) await postJson(app, '/api/auth/password', { password: 'wrong' })
  const again = (cookie: string) => postJson(app, '/api/auth/password', { password }, { Cookie: cookie })
  for (const invented of [
    'longhouse_browser=a.b',
    `longhouse_browser=x${Cookie.split('=')[1]}`,
    'longhouse_browser=.',
  ]) {
    assert.equal((await again(invented)).status, 429, invented)
  }
  assert.equal((await again(Cookie)).status, 200)
  const guess = () => postJson(app, '/api/auth/password', { password: 'wrong' }, { Cookie })
  for (let i = 0; i < 10; i++) assert.equal((await guess()).status, 401)
  assert.equal((await guess()).status, 429, 'a stolen mark is no free ticket')
})

test('concurrent guesses each count as a try', async t => {
  const { app } = await startWeb(t)
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => postJson(app, '/api/auth/password', { password: 'wrong' })),
  )
  const statuses = answers.map(answer => answer.status)
  assert.equal(statuses.filter(status => status === 401).length, 10)
  assert.equal(statuses.filter(status => status === 429).length, 20)
})

test('a session lasts thirty days from its last use, and ninety days at most', async t => {
  const clock = manualClock()
  const { app, signIn } = await startWeb(t, { clock })
  const idle = await signIn()
  const used = await signIn()
  const ask = (Cookie: string) => app.request('/api/jobs', { headers: { Cookie } })

  clock.advance(29 * day)
  const refreshed = await ask(used)
  assert.equal(refreshed.status, 200)
  assert.match(refreshed.headers.get('set-cookie') ?? '', new RegExp(`Max-Age=${30 * 24 * 3600}`))
  assert.equal((await ask(used)).headers.get('set-cookie'), null, 'moved once an hour at most')

  clock.advance(1.5 * day)
  assert.equal((await ask(idle)).status, 401)
  assert.equal((await ask(used)).status, 200)
  for (let passed = 30.5; passed < 88; passed += 20) {
    clock.advance(20 * day)
    assert.equal((await ask(used)).status, passed + 20 < 90 ? 200 : 401)
  }
})

test('signing out deletes the session itself, not only the cookie', async t => {
  const { app, signIn } = await startWeb(t)
  const Cookie = await signIn()
  const out = await postForm(app, '/api/auth/logout', {}, { Cookie })
  assert.equal(out.status, 303)
  assert.equal(out.headers.get('location'), '/login')
  assert.match(out.headers.get('set-cookie') ?? '', /Max-Age=0/)
  assert.equal((await app.request('/api/jobs', { headers: { Cookie } })).status, 401)
})

test('a request from another site changes nothing', async t => {
  const { app, signIn } = await startWeb(t)
  const Cookie = await signIn()
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example', Host: 'acme.example.com' },
  ]) {
    const answer = await app.request('/api/auth/logout', { method: 'POST', headers: { ...headers, Cookie } })
    assert.equal(answer.status, 403)
  }
  assert.equal((await app.request('/api/jobs', { headers: { Cookie } })).status, 200)
})

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, type Reply } from '../../../src/testing/ask.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { type TestFleet, testFleet, token } from '../fleet.fixture.ts'

/** A browser without JavaScript: it follows no redirect by itself, and sends what forms send. */
function browser({ port }: TestFleet) {
  let cookie = ''
  const send = async (
    method: string,
    path: string,
    form?: Record<string, string>,
    headers: Record<string, string> = {},
  ) => {
    const reply = await ask({
      port,
      host: `control.localhost:${port}`,
      method,
      path,
      headers: {
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        ...(cookie ? { Cookie: cookie } : {}),
        ...(form
          ? {
              'Content-Type': 'application/x-www-form-urlencoded',
              Origin: `http://control.localhost:${port}`,
            }
          : {}),
        ...headers,
      },
      ...(form ? { body: new URLSearchParams(form).toString() } : {}),
    })
    const set = reply.headers['set-cookie']?.[0]
    if (set) cookie = set.split(';')[0] ?? ''
    return reply
  }
  return {
    get: (path: string, headers?: Record<string, string>) => send('GET', path, undefined, headers),
    post: (path: string, form: Record<string, string> = {}, headers?: Record<string, string>) =>
      send('POST', path, form, headers),
  }
}

const at = (reply: Reply) => [reply.status, reply.headers.location]

test('an instance’s whole life works with forms alone', async t => {
  const fleet = await testFleet(t)
  const { get, post } = browser(fleet)

  assert.deepEqual(at(await get('/')), [303, '/admin/overview'])
  assert.deepEqual(at(await get('/admin/instances')), [303, '/login?next=%2Fadmin%2Finstances'])
  assert.deepEqual(at(await post('/login', { token, next: '/admin/instances' })), [303, '/admin/instances'])
  assert.match((await get('/admin/instances')).text, /No instances yet/)

  const created = await post('/admin/instances', {
    subdomain: 'acme',
    owner_email: 'ada@example.com',
    image: '',
  })
  assert.equal(created.status, 202)
  assert.match(created.text, /\w{5}(-\w{5}){3}/)
  assert.equal(created.headers['cache-control'], 'no-store')

  const page = await eventually('it runs', async () => {
    const page = await get('/admin/instances/acme')
    return page.text.includes('Provision: done') && page
  })
  for (const step of ['prepare volume', 'create container', 'start container', 'wait until healthy']) {
    assert.ok(page.text.includes(step), step)
  }
  assert.match(page.text, /process driver isolates nothing/i)
  assert.doesNotMatch(page.text, /\w{5}-\w{5}-\w{5}-\w{5}/)

  for (const [verb, words] of [
    ['restart', 'Restart: done'],
    ['stop', 'Stop: done'],
    ['start', 'Start: done'],
    ['deprovision', 'Remove: done'],
  ] as const) {
    assert.deepEqual(at(await post(`/admin/instances/acme/${verb}`)), [303, '/admin/instances/acme'])
    await eventually(words, async () => (await get('/admin/instances/acme')).text.includes(words))
  }
  assert.ok(existsSync(join(fleet.root, 'acme')))

  const mistyped = await post('/admin/instances/acme/purge', { confirm: 'acm' })
  assert.equal(mistyped.status, 422)
  assert.match(mistyped.text, /Must be (&quot;|")acme(&quot;|"), typed out; nothing was deleted/)
  assert.match(mistyped.text, /<details class="confirm" name="confirm" open/)
  assert.match(mistyped.text, /aria-invalid="true"/)
  assert.ok(existsSync(join(fleet.root, 'acme')))
  assert.deepEqual(at(await get('/admin/instances/acme/purge')), [303, '/admin/instances/acme'])
  assert.deepEqual(at(await post('/admin/instances/acme/purge', { confirm: 'acme' })), [
    303,
    '/admin/instances?purged=acme',
  ])
  await eventually('the volume is gone', () => !existsSync(join(fleet.root, 'acme')))
  await eventually('the list says so', async () =>
    (await get('/admin/instances?purged=acme')).text.includes('acme and its data have been deleted'),
  )
  assert.deepEqual(at(await post('/logout')), [303, '/login'])
  assert.equal((await get('/admin/instances')).status, 303)
})

test('the history and details of an instance say that its owner was changed', async t => {
  const fleet = await testFleet(t)
  const { get, post } = browser(fleet)
  await post('/login', { token })
  await fleet.provision('acme')
  assert.doesNotMatch((await get('/admin/instances/acme')).text, /Owner changed/)
  await post('/admin/instances/acme/transfer', { owner_email: 'eve@example.com' })
  await post('/admin/instances/acme/stop')
  const page = await eventually('it is stopped', async () => {
    const page = await get('/admin/instances/acme')
    return page.text.includes('Stop: done') && page
  })
  assert.match(page.text, /Change owner: (done|superseded by a newer one)/)
  assert.match(page.text, /Owner changed/)
  assert.doesNotMatch(page.text, /Reset password: /)
})

test('a form with mistakes is shown again with the input and the errors', async t => {
  const fleet = await testFleet(t)
  const { post } = browser(fleet)
  await post('/login', { token })
  const wrong = await post('/admin/instances', { subdomain: 'Not Good', owner_email: 'ada@example.com' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /value="Not Good"/)
  assert.match(wrong.text, /value="ada@example.com"/)
  assert.match(wrong.text, /may contain only lowercase letters/)
  assert.match(wrong.text, /aria-invalid="true"/)

  await fleet.provision('acme')
  const taken = await post('/admin/instances', { subdomain: 'acme', owner_email: 'eve@example.com' })
  assert.equal(taken.status, 409)
  assert.match(taken.text, /exists already/)
})

test('input is shown as text on every page, never as markup', async t => {
  const fleet = await testFleet(t)
  const { post } = browser(fleet)
  await post('/login', { token })
  const evil = '"><script>alert(1)</script>'
  const page = await post('/admin/instances', { subdomain: evil, owner_email: evil })
  assert.doesNotMatch(page.text, /<script>alert/)
})

test('htmx gets only the live part, the same as on the page', async t => {
  const fleet = await testFleet(t)
  const { get, post } = browser(fleet)
  await post('/login', { token })
  await fleet.provision('acme')
  for (const path of ['/admin/instances', '/admin/instances/acme']) {
    const fragment = await get(path, { 'HX-Request': 'true' })
    assert.match(fragment.text, /^<div id="/)
    assert.match((await get(path)).text, new RegExp(`<div id="${/id="([^"]+)"/.exec(fragment.text)?.[1]}"`))
  }
})

test('a form of another site changes nothing', async t => {
  const fleet = await testFleet(t)
  const { post } = browser(fleet)
  await post('/login', { token })
  await fleet.provision('acme')
  for (const headers of [
    { Origin: 'https://evil.example' },
    { Origin: `http://evil.localhost:${fleet.port}` },
    { Origin: 'null' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ]) {
    const refused = await post('/admin/instances/acme/deprovision', {}, headers)
    assert.equal(refused.status, 403, JSON.stringify(headers))
  }
  assert.equal((await fleet.admin('GET', '/admin/instances/acme')).body.desired, 'running')
  const own = await post('/admin/instances/acme/stop', {}, { 'Sec-Fetch-Site': 'same-origin' })
  assert.equal(own.status, 303)
})

test('a long list comes in pages of a hundred, and can be searched', async t => {
  // None of them ever starts: the list is what matters here.
  const closed = Promise.withResolvers<void>()
  const fleet = await testFleet(t, {
    env: { PROVISIONER_CONCURRENCY: '1' },
    driver: real => ({
      ...real,
      prepareImage: () => closed.promise.then(() => null),
      close: async () => closed.resolve(),
    }),
  })
  const { get, post } = browser(fleet)
  await post('/login', { token })
  for (let i = 0; i < 101; i++) {
    const body = { subdomain: `box-${String(i).padStart(3, '0')}`, owner_email: `o${i}@example.com` }
    await fleet.admin('POST', '/admin/instances', { body })
  }
  const rows = (text: string) => [...text.matchAll(/id="instance-(box-\d+)"/g)].map(match => match[1])
  const first = await get('/admin/instances')
  assert.equal(rows(first.text).length, 100)
  assert.match(first.text, /101 at \*\.localhost/)
  assert.deepEqual(rows((await get('/admin/instances?offset=100')).text), ['box-100'])
  assert.deepEqual(rows((await get('/admin/instances?search=O42@')).text), ['box-042'])
  assert.match((await get('/admin/instances?search=nobody')).text, /No instance has “nobody”/)
  assert.equal((await get('/admin/instances?offset=-1')).status, 422)
  const { body } = await fleet.admin<{ instances: { operation: { steps: unknown[] } }[] }>(
    'GET',
    '/admin/instances',
  )
  assert.equal(body.instances.length, 101)
  assert.ok(body.instances.every(instance => instance.operation.steps.length === 5))
})

test('a 404 shows the navigation to the operator, and none to a stranger', async t => {
  const fleet = await testFleet(t)
  const { get, post } = browser(fleet)
  assert.doesNotMatch((await get('/nowhere')).text, /<nav|logout/)
  const wrong = await post('/login', { token: 'not-the-admin-token' })
  assert.match(wrong.text, /This is not the admin token\./)
  await post('/login', { token })
  for (const path of ['/nowhere', '/admin/instances/nobody']) {
    const answer = await get(path)
    assert.equal(answer.status, 404)
    assert.match(answer.text, /<nav aria-label="Main">[\s\S]*action="\/logout"/, path)
  }
})

test('reloading the page with a password leads to the instance, where it can be reset', async t => {
  const fleet = await testFleet(t)
  const { get, post } = browser(fleet)
  await post('/login', { token })
  const form = { subdomain: 'acme', owner_email: 'ada@example.com' }
  const secret = (page: string) => /<code class="secret">([^<]+)</.exec(page)?.[1]
  const first = secret((await post('/admin/instances', form)).text)
  assert.ok(first)
  const again = await post('/admin/instances', form)
  assert.equal(again.status, 409)
  assert.match(again.text, /<a href="\/admin\/instances\/acme">Go to acme<\/a>/)
  await eventually('it runs', async () => /Running/.test((await get('/admin/instances/acme')).text))
  assert.match((await get('/admin/instances/acme')).text, /action="\/admin\/instances\/acme\/reset-password"/)
  const reset = await post('/admin/instances/acme/reset-password')
  assert.notEqual(secret(reset.text) ?? first, first)
  assert.match(reset.text, /not shown again/)
  assert.equal(reset.headers['cache-control'], 'no-store')
})

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ask } from '../../../src/testing/ask.ts'
import { tokens } from '../../tokens/index.ts'
import { testFleet } from '../fleet.fixture.ts'

const browser = { Accept: 'text/html' }

/** A fleet whose instance acme writes these lines, and its own key, when it starts. */
async function startSpeaking(t: TestContext, lines: string) {
  const fleet = await testFleet(t, { plugins: [tokens] })
  await fleet.provision('acme')
  mkdirSync(join(fleet.root, 'acme'), { recursive: true })
  writeFileSync(join(fleet.root, 'acme', 'speak'), lines)
  await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  const log = (query = '', headers: Record<string, string> = {}) =>
    fleet.admin<string>('GET', `/admin/instances/acme/log${query}`, { headers })
  return { fleet, log }
}

test('a container’s log is read, searched and bounded, with secrets masked', async t => {
  const { log } = await startSpeaking(t, 'Listening\nWarning: slow disk\n<b>Warning</b>: late')
  const all = await log()
  assert.equal(all.status, 200)
  assert.match(all.body, /^\d{4}-\d\d-\d\dT[\d:.]+Z out Listening$/m)
  assert.match(all.body, /err the key is \S*\*{2,}/)
  assert.equal(all.body.match(/the key is (.*)/)?.[1]?.length, 3, 'nothing of the key is left')
  assert.deepEqual((await log('?search=warning+DISK')).body.match(/Warning.*/g), ['Warning: slow disk'])
  assert.equal((await log('?search=warning&lines=1')).body.trim().split('\n').length, 1)
  assert.equal((await log('?until=1h')).body, '', 'an hour ago it had written nothing')
  assert.match((await log('?since=1h')).body, /Listening/)
  const page = await log('?search=warning', browser)
  assert.match(page.body, /&lt;b&gt;/)
  assert.ok(!page.body.includes('Listening'))
})

test('bad windows are refused by the name of the field', async t => {
  const { log } = await startSpeaking(t, 'Listening')
  for (const [query, field] of [
    ['?since=yesterday', 'since'],
    ['?until=2026-13-45', 'until'],
    ['?since=1h&until=2h', 'until'],
    ['?lines=0', 'lines'],
    ['?lines=1000000', 'lines'],
  ] as const) {
    const { status, body } = (await log(query)) as unknown as {
      status: number
      body: { errors: { path: string }[] }
    }
    assert.deepEqual([status, body.errors?.[0]?.path], [422, field], query)
  }
})

test('the log is followed until the instance ends, by a few streams of one reader', async t => {
  const { fleet } = await startSpeaking(t, 'Listening')
  const follow = () =>
    ask({
      ...{ port: fleet.port, host: 'control.localhost', path: '/admin/instances/acme/log' },
      headers: { Authorization: 'Bearer a-token-that-only-the-operator-has', Accept: 'text/event-stream' },
    })
  const all = Array.from({ length: 6 }, follow)
  const refused = await Promise.race(all)
  assert.equal(refused.status, 503)
  assert.match(refused.text, /You follow 5 already/)
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const followed = (await Promise.all(all)).filter(({ status }) => status === 200)
  assert.equal(followed.length, 5)
  for (const { headers, text } of followed) {
    assert.match(String(headers['content-type']), /^text\/event-stream/)
    assert.match(text, /^data: \S+ out Listening$/m)
    assert.match(text, /event: end\ndata: the instance is not running\n\n$/)
  }
})

test('a followed log is searched too, and takes no end', async t => {
  const { fleet, log } = await startSpeaking(t, 'Listening\nWarning: slow disk\nwarning: late')
  const refused = (await log('?until=1h', { Accept: 'text/event-stream' })) as unknown as {
    status: number
    body: { errors: { path: string }[] }
  }
  assert.deepEqual([refused.status, refused.body.errors?.[0]?.path], [422, 'until'])
  const following = ask({
    ...{
      port: fleet.port,
      host: 'control.localhost',
      path: '/admin/instances/acme/log?search=warning+SLOW',
    },
    headers: { Authorization: 'Bearer a-token-that-only-the-operator-has', Accept: 'text/event-stream' },
  })
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  const { text } = await following
  assert.deepEqual(
    text.match(/^data: .*$/gm)?.map(line => line.replace(/ \d{4}-\S+/, '')),
    ['data: out Warning: slow disk', 'data: the instance is not running'],
  )
})

test('only those who may operate read a log', async t => {
  const { fleet, log } = await startSpeaking(t, 'Listening')
  const made = async (role: string) =>
    (await fleet.admin<{ secret: string }>('POST', '/admin/tokens', { body: { name: role, role } })).body
      .secret
  const reader = await log('', { Authorization: `Bearer ${await made('read')}` })
  assert.equal(reader.status, 403)
  const operator = await log('', { Authorization: `Bearer ${await made('operate')}` })
  assert.match(operator.body, /Listening/)
  assert.equal((await log('', { Authorization: 'Bearer wrong' })).status, 401)
  assert.equal((await fleet.admin('GET', '/admin/instances/none/log')).status, 404)
})

test('a followed log ends with its reader’s access: a revoked token, a session that was ended', async t => {
  const { fleet } = await startSpeaking(t, 'Listening')
  const { body: token } = await fleet.admin<{ id: string; secret: string }>('POST', '/admin/tokens', {
    body: { name: 'watching', role: 'operate' },
  })
  const visit = (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string },
  ) => ask({ port: fleet.port, host: 'control.localhost', path, ...options })
  const signedIn = await visit('/login', {
    ...{ method: 'POST', body: 'token=a-token-that-only-the-operator-has' },
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...browser },
  })
  const Cookie = signedIn.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const follow = async (headers: Record<string, string>) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const path = '/admin/instances/acme/log'
      request({
        ...{ host: '127.0.0.1', port: fleet.port, path, agent: false },
        headers: { Host: 'control.localhost', Accept: 'text/event-stream', ...headers },
      })
        .on('response', resolve)
        .on('error', reject)
        .end()
    })
    assert.equal(answer.statusCode, 200)
    let seen = ''
    const begun = Promise.withResolvers<void>()
    answer.setEncoding('utf8').on('data', (text: string) => {
      seen += text
      if (seen.includes('Listening')) begun.resolve()
    })
    const over = new Promise<string>(resolve => answer.on('end', () => resolve(seen)))
    await begun.promise
    return { over }
  }
  const byToken = await follow({ Authorization: `Bearer ${token.secret}` })
  const bySession = await follow({ Cookie })
  assert.equal((await fleet.admin('DELETE', `/admin/tokens/${token.id}`)).status, 204)
  assert.match(await byToken.over, /: your access has ended\n\n$/)
  assert.equal((await visit('/logout', { method: 'POST', headers: { Cookie, ...browser } })).status, 303)
  const ended = await bySession.over
  assert.match(ended, /: your access has ended\n\n$/)
  assert.doesNotMatch(ended, /event: end/)
})

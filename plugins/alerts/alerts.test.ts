import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Concern } from '../../src/kernel/concern.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { behindTls, makeAuthority } from '../../src/testing/authority.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startInbox } from '../../src/testing/inbox.ts'
import { mail } from '../mail/index.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { alerts } from './index.ts'
import { startReceiver } from './receiver.fixture.ts'

const minute = 60_000

const failed: Concern = {
  kind: 'instance-failed',
  subject: 'inst_1',
  subdomain: 'acme',
  summary: 'acme has failed',
  detail: 'start container: <no such image>',
  urgency: 'alert',
  path: '/admin/instances/acme',
}

/** A control plane whose concerns the test sets. */
async function startWatch(t: TestContext, env: Record<string, string>) {
  const clock = manualClock()
  const trouble: { now: Concern[] } = { now: [] }
  const source = definePlugin({
    name: 'trouble',
    setup: () => ({
      concernKinds: ['instance-failed', 'operation-failed', 'check-failing'],
      concerns: () => trouble.now,
    }),
  })
  const fleet = await testFleet(t, { plugins: [mail, alerts, source], env, clock })
  return {
    ...fleet,
    clock,
    trouble,
    /** Looks, waits two minutes, looks again, and sends what there is to send. */
    look: async () => {
      for (let time = 0; time < 2; time++) {
        await fleet.program.runOnce('alerts:watch')
        clock.advance(2 * minute)
      }
      await fleet.program.runOnce('alerts:send')
      await fleet.program.runOnce('mail:send')
    },
  }
}

test('an alert reaches every channel, each in its own form, and so does its end', async t => {
  const receiver = await startReceiver(t)
  const inbox = await startInbox(t)
  const watch = await startWatch(t, {
    ALERT_EMAIL: 'ops@example.com, boss@example.com',
    SMTP_URL: inbox.url,
    SMTP_FROM: 'control@example.com',
    ALERT_WEBHOOK_URL: `${receiver.url}/hook`,
    ALERT_WEBHOOK_SECRET: 'a-secret-of-the-webhook',
    ALERT_SLACK_URL: `${receiver.url}/slack`,
    ALERT_NTFY_URL: `${receiver.url.replace('//', '//:tk_token@')}/my-topic`,
  })
  watch.trouble.now = [
    failed,
    { ...failed, subject: 'inst_2', subdomain: 'beta', summary: 'beta has failed' },
  ]
  await watch.look()

  await receiver.has(3)
  const [hook, slack, ntfy] = ['/hook', '/slack', '/'].map(path =>
    receiver.received.find(each => each.path === path),
  )
  const posted = JSON.parse(hook?.body ?? '')
  assert.equal(posted.type, 'alerts')
  assert.deepEqual(
    posted.opened.map((line: { summary: string; url: string }) => [line.summary, new URL(line.url).pathname]),
    [
      ['acme has failed', '/admin/instances/acme'],
      ['beta has failed', '/admin/instances/acme'],
    ],
  )
  assert.match(posted.subject, /2 things need you$/)
  const [, time, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(hook?.headers['longhouse-signature'])) ?? []
  const expected = createHmac('sha256', 'a-secret-of-the-webhook')
    .update(`${time}.${hook?.body}`)
    .digest('hex')
  assert.equal(signature, expected)

  assert.match(JSON.parse(slack?.body ?? '').text, /acme has failed: start container: &lt;no such image&gt;/)
  const pushed = JSON.parse(ntfy?.body ?? '')
  assert.deepEqual([pushed.topic, pushed.priority], ['my-topic', 4])
  assert.equal(ntfy?.headers.authorization, `Basic ${btoa(':tk_token')}`)

  await eventually('two emails', () => inbox.mails.length === 2)
  assert.deepEqual(inbox.mails.flatMap(({ to }) => to).sort(), ['boss@example.com', 'ops@example.com'])
  assert.match(inbox.mails[0]?.text ?? '', /acme has failed/)
  assert.match(inbox.mails[0]?.text ?? '', /ALERT_EMAIL/)

  watch.trouble.now = []
  await watch.look()
  await receiver.has(6)
  const over = JSON.parse(receiver.received.filter(({ path }) => path === '/hook').at(-1)?.body ?? '')
  assert.deepEqual([over.opened.length, over.recovered.length], [0, 2])
  const { body } = await watch.admin<{ open: unknown[]; closed: { summary: string }[] }>(
    'GET',
    '/admin/alerts',
  )
  assert.equal(body.open.length, 0)
  assert.deepEqual(body.closed.map(({ summary }) => summary).sort(), ['acme has failed', 'beta has failed'])
})

test('a receiver that is away gets the alert later, with the same id', async t => {
  const receiver = await startReceiver(t)
  const watch = await startWatch(t, { ALERT_WEBHOOK_URL: receiver.url })
  receiver.status = 503
  watch.trouble.now = [failed]
  await watch.look()
  await receiver.has(1)
  receiver.status = 204
  // The failed attempt is recorded a moment after the answer.
  await eventually('a second attempt', async () => {
    watch.clock.advance(10 * minute)
    await watch.program.runOnce('alerts:send')
    return receiver.received.length === 2
  })
  const ids = receiver.received.map(({ headers }) => headers['longhouse-delivery'])
  assert.equal(ids[0], ids[1])
})

test('alerts can be silenced for a time, and a silence can be ended', async t => {
  const receiver = await startReceiver(t)
  const watch = await startWatch(t, { ALERT_WEBHOOK_URL: receiver.url })
  await watch.provision('acme')
  const made = await watch.admin<{ id: string; until: string }>('POST', '/admin/alerts/silences', {
    body: { subdomain: 'acme', for: '2h' },
  })
  assert.equal(made.status, 201)
  assert.equal(Date.parse(made.body.until), watch.clock.now() + 120 * minute)
  watch.trouble.now = [failed]
  await watch.look()
  assert.equal(receiver.received.length, 0)
  const listed = await watch.admin<{ open: { silent: boolean }[] }>('GET', '/admin/alerts')
  assert.equal(listed.body.open[0]?.silent, true)
  assert.equal((await watch.admin('POST', `/admin/alerts/silences/${made.body.id}/end`)).status, 204)
  assert.equal((await watch.admin('POST', `/admin/alerts/silences/${made.body.id}/end`)).status, 404)
  await watch.look()
  await receiver.has(1)

  for (const body of [{ for: 'a while' }, { for: '0m' }, { for: '91d' }, {}, { for: '1h', kinds: 'x' }]) {
    const { status } = await watch.admin('POST', '/admin/alerts/silences', { body })
    assert.equal(status, 422, JSON.stringify(body))
  }
})

test('a silence of an instance or a kind that there is not is refused, with what there is', async t => {
  const watch = await startWatch(t, {})
  await watch.provision('acme')
  const silence = async (body: object) =>
    await watch.admin<{ errors?: { path: string; message: string }[] }>('POST', '/admin/alerts/silences', {
      body: { for: '1h', ...body },
    })
  const { status, body } = await silence({ kind: 'instance-unwell', subdomain: 'acne' })
  assert.equal(status, 422)
  assert.match(body.errors?.[0]?.message ?? '', /^must be one of .*instance-failed, instance-unhealthy/)
  assert.deepEqual(body.errors?.[1], {
    path: 'subdomain',
    message: 'must be an instance: none is called "acne"; did you mean "acme"?',
  })
  assert.equal((await silence({ kind: 'instance-unhealthy', subdomain: 'acme' })).status, 201)
  // What is open is offered for silence on the page, whatever became of its instance.
  watch.trouble.now = [{ ...failed, subdomain: 'gone' }]
  await watch.look()
  assert.equal((await silence({ subdomain: 'gone' })).status, 201)
  const { body: listed } = await watch.admin<{ silences: unknown[] }>('GET', '/admin/alerts')
  assert.equal(listed.silences.length, 2)
})

test('a test alert goes everywhere; where alerts go nowhere, it is refused in words', async t => {
  const receiver = await startReceiver(t)
  const watch = await startWatch(t, { ALERT_SLACK_URL: receiver.url })
  assert.equal((await watch.admin('POST', '/admin/alerts/test')).status, 204)
  await receiver.has(1)
  assert.match(receiver.received[0]?.body ?? '', /a test/)
  const silent = await startWatch(t, {})
  const refused = await silent.admin<{ detail: string }>('POST', '/admin/alerts/test')
  assert.equal(refused.status, 503)
  assert.match(refused.body.detail, /ALERT_EMAIL/)
})

test('settings that cannot work stop the start, each by its name', async t => {
  const start = (env: Record<string, string>) => startWatch(t, env)
  await assert.rejects(start({ ALERT_EMAIL: 'ops@example.com' }), /ALERT_EMAIL: emails need SMTP_URL/)
  await assert.rejects(start({ ALERT_EMAIL: 'ops' }), /ALERT_EMAIL: must be email addresses/)
  await assert.rejects(start({ ALERT_WEBHOOK_URL: 'example.com' }), /ALERT_WEBHOOK_URL: must be an address/)
  await assert.rejects(
    start({ ALERT_NTFY_URL: 'https://ntfy.sh' }),
    /ALERT_NTFY_URL: must be a server and a topic/,
  )
  await assert.rejects(start({ ALERT_AFTER: '2d' }), /ALERT_AFTER: must be from 0s to 1h/)
})

test('the heartbeat is sent while every check passes, and only then', async t => {
  const receiver = await startReceiver(t)
  let broken = false
  const check = definePlugin({
    name: 'check',
    setup: () => ({
      checks: {
        thing: () => {
          if (broken) throw new Error('it is broken')
        },
      },
    }),
  })
  const fleet = await testFleet(t, {
    plugins: [mail, alerts, check],
    env: { HEARTBEAT_URL: `${receiver.url}/ping` },
  })
  // The loop of the task sends the first one.
  await receiver.has(1)
  await fleet.program.runOnce('alerts:heartbeat')
  assert.equal(receiver.received.length, 2)
  broken = true
  await fleet.program.runOnce('alerts:heartbeat')
  assert.equal(receiver.received.length, 2)
})

test('a certificate of the outside address that ends soon is an alert', async t => {
  const receiver = await startReceiver(t)
  const url = await behindTls(t, makeAuthority(t).sign('127.0.0.1'), receiver.url, '127.0.0.1')
  const { certificateEnd, certificateConcern } = await import('./outside-certificate.ts')
  const now = Date.now()
  const end = await certificateEnd(new URL(url))
  assert.ok(Math.abs(end - now - 2 * 86_400_000) < 86_400_000)
  assert.match(certificateConcern(new URL(url), end, now)[0]?.summary ?? '', /ends on \d{4}-/)
  assert.match(certificateConcern(new URL(url), end, end + 1)[0]?.summary ?? '', /ended on/)
  assert.deepEqual(certificateConcern(new URL(url), end + 60 * 86_400_000, now), [])
  await assert.rejects(certificateEnd(new URL(receiver.url.replace('http', 'https'))))
})

test('an instance that fails, and an operation that fails, are alerts of the control plane itself', async t => {
  const receiver = await startReceiver(t)
  const fleet = await testFleet(t, {
    plugins: [mail, alerts],
    env: { ALERT_WEBHOOK_URL: receiver.url, ALERT_AFTER: '0s' },
    driver: real => ({
      ...real,
      name: real.name,
      usesImages: true,
      prepareImage: async () => {
        throw Object.assign(new Error('no such image'), { permanent: true })
      },
    }),
  })
  const { body } = await fleet.admin('POST', '/admin/instances', {
    body: { subdomain: 'acme', owner_email: 'ada@example.com' },
    wait: 20,
  })
  assert.equal(body.status, 'failed')
  await fleet.program.runOnce('alerts:watch')
  const open = await fleet.admin<{ open: { kind: string; subdomain: string; detail: string }[] }>(
    'GET',
    '/admin/alerts',
  )
  const [alert] = open.body.open
  assert.deepEqual([alert?.kind, alert?.subdomain], ['instance-failed', 'acme'])
  assert.match(alert?.detail ?? '', /no such image/)
})

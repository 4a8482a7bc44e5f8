import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { bootForTest, keptLog } from '../../control-plane/boot.fixture.ts'
import { controlWeb } from '../../control-plane/web.tsx'
import { BootError } from '../../src/boot-error.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type Inbox, startInbox } from '../../src/testing/inbox.ts'
import * as emails from '../../views/mail/emails.tsx'
import { auth } from '../auth/index.ts'
import './contract.ts'
import type { MailService } from './contract.ts'
import { mail } from './index.ts'

const token = 'a-token-that-only-the-operator-has'
const minute = 60_000
const acme = { subdomain: 'acme', url: 'https://acme.example.com' }
const welcome = {
  key: 'welcome:inst_1',
  to: 'ada@example.com',
  email: emails.welcome({ ...acme, trialEndsAt: null }),
}

/** A control plane that can send mail, and a plugin that sends some. */
async function openOffice(t: TestContext, env: Record<string, string> = {}, clock = manualClock()) {
  const { log, lines } = keptLog()
  let service: MailService | undefined
  const writer = definePlugin({
    name: 'writer',
    needs: ['mail'],
    setup: ({ services }) => {
      service = services.mail
      return {}
    },
  })
  const web = controlWeb(
    { url: name => `/assets/${name}`, mount: () => {} },
    { isOperator: () => false, isOwner: () => false },
  )
  const program = await bootForTest(t, [auth, mail, writer], {
    env: { ADMIN_TOKEN: token, ...env },
    clock,
    log,
    web,
  })
  assert.ok(service)
  const ask = (path: string, init: RequestInit = {}) =>
    program.app.request(`http://control.localhost${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${token}`, ...init.headers },
    })
  const list = async () =>
    (await (await ask('/admin/mail')).json()) as {
      on: boolean
      messages: { id: string; status: string; attempts: number; error: string | null }[]
    }
  return { program, service, clock, lines, ask, list, round: () => program.runOnce('mail:send') }
}

const settings = (inbox: Inbox) => ({ SMTP_URL: inbox.url, SMTP_FROM: 'Longhouse <hello@example.com>' })

test('an email is sent once, as HTML and text, however often it is requested', async t => {
  const inbox = await startInbox(t)
  const { service, round, list } = await openOffice(t, settings(inbox))
  assert.equal(service.on, true)
  assert.deepEqual([service.send(welcome), service.send(welcome)], [true, false])
  await Promise.all([round(), round()])
  await round()
  assert.equal(service.send(welcome), false)
  await round()
  assert.equal(inbox.mails.length, 1)
  const [email] = inbox.mails
  assert.deepEqual(email?.to, ['ada@example.com'])
  const text = email?.text.replaceAll('=\r\n', '') ?? ''
  assert.match(text, /^Subject: acme is ready\r$/m)
  assert.match(text, /^From: Longhouse <hello@example\.com>\r$/m)
  assert.match(text, /^Auto-Submitted: auto-generated\r$/m)
  assert.match(text, /Content-Type: text\/plain.*Open your instance: https:\/\/acme\.example\.com/s)
  assert.match(text, /Content-Type: text\/html.*<h1/s)
  assert.deepEqual(
    (await list()).messages.map(each => each.status),
    ['sent'],
  )
})

test('emails name the site as its pages do', async t => {
  const inbox = await startInbox(t)
  const brand = { BRAND_NAME: 'Nightly', BRAND_COLOR: '#005f5f', BRAND_SUPPORT: 'help@nightly.example' }
  const { service, round } = await openOffice(t, { ...settings(inbox), ...brand })
  service.send(welcome)
  await round()
  const text = (inbox.mails[0]?.text ?? '').replaceAll('=\r\n', '')
  assert.match(text, /because you have an instance at Nightly\.\r\n\r\nHelp: help@nightly\.example/)
  assert.match(text, /background:#005f5f/)
})

test('a temporary refusal by the mail server is retried later; a permanent one fails', async t => {
  const inbox = await startInbox(t)
  const { service, round, list, clock, ask } = await openOffice(t, settings(inbox))
  inbox.refuse = { code: 451, words: 'come back later' }
  service.send(welcome)
  await round()
  await round()
  const state = async () => (await list()).messages.map(each => [each.status, each.attempts])
  assert.deepEqual(await state(), [['queued', 1]])
  clock.advance(minute)
  inbox.refuse = { code: 550, words: 'no such mailbox' }
  await round()
  assert.deepEqual(await state(), [['failed', 2]])
  const [failed] = (await list()).messages
  assert.match(failed?.error ?? '', /no such mailbox/)

  const page = await (await ask('/admin/mail', { headers: { Accept: 'text/html' } })).text()
  assert.match(page, /Given up/)
  assert.match(page, /no such mailbox/)
  inbox.refuse = null
  const retry = (id: string | undefined) => ask(`/admin/mail/${id}/retry`, { method: 'POST' })
  assert.equal((await retry(failed?.id)).status, 204)
  await round()
  assert.equal(inbox.mails.length, 1)
  assert.equal((await retry(failed?.id)).status, 404, 'what was sent is not sent again')
  assert.equal((await retry('mail_nope')).status, 404)
})

test('setting the clock back makes no email wait longer than its backoff', async t => {
  const inbox = await startInbox(t)
  const { service, round, list, clock } = await openOffice(t, settings(inbox))
  inbox.refuse = { code: 451, words: 'come back later' }
  service.send(welcome)
  await round()
  inbox.refuse = null
  clock.step(-120 * minute)
  await round()
  assert.equal(inbox.mails.length, 0, 'its pause is not over')
  clock.advance(minute / 2)
  await round()
  assert.equal(inbox.mails.length, 1)

  clock.step(120 * minute)
  service.send({ ...welcome, key: 'another' })
  clock.step(-120 * minute)
  await round()
  assert.equal(inbox.mails.length, 2, 'what was never tried waits for nothing')
  assert.deepEqual(
    (await list()).messages.map(each => each.status),
    ['sent', 'sent'],
  )
})

test('an email that was being sent when the program was killed goes out at the next start; its key outlives its text', async t => {
  const inbox = await startInbox(t)
  const env = { ...settings(inbox), LONGHOUSE_DATA_ROOT: temporaryFolder(t) }
  const first = await openOffice(t, env)
  first.service.send(welcome)
  await first.program.stop()
  const second = await openOffice(t, env, first.clock)
  await second.round()
  assert.equal(inbox.mails.length, 1)
  for (const days of [31, 300]) {
    first.clock.advance(days * 24 * 60 * minute)
    await second.program.runOnce('mail:prune')
    assert.equal(second.service.send(welcome), false, `after ${days} days`)
  }
})

test('with only one of its settings the program does not start; without both, the log and the page say that mail is off', async t => {
  for (const [env, fault] of [
    [{ SMTP_URL: 'smtp://mail.example.com' }, /^SMTP_FROM: must be set too, as SMTP_URL is$/],
    [{ SMTP_FROM: 'a@example.com' }, /^SMTP_URL: must be set too, as SMTP_FROM is$/],
    [
      { SMTP_URL: 'mail.example.com', SMTP_FROM: 'a@example.com' },
      /^SMTP_URL: must be a mail server such as/,
    ],
    [{ SMTP_URL: 'smtp://mail.example.com', SMTP_FROM: 'nobody' }, /^SMTP_FROM: must be the address/],
  ] as const) {
    const error = await openOffice(t, env).then(
      () => assert.fail('it started'),
      (error: unknown) => error,
    )
    assert.ok(error instanceof BootError, String(error))
    assert.match(error.faults.join(), fault)
  }
  const { service, lines, list, ask, round } = await openOffice(t)
  assert.equal(service.on, false)
  assert.equal(service.send(welcome), false)
  await round()
  assert.match(lines(), /mail is off: SMTP_URL and SMTP_FROM are not set/)
  assert.deepEqual(await list(), { on: false, total: 0, messages: [] })
  assert.match(await (await ask('/admin/mail', { headers: { Accept: 'text/html' } })).text(), /Mail is off/)
  const retry = await ask('/admin/mail/mail_x/retry', { method: 'POST' })
  assert.equal(retry.status, 503)
  assert.equal(retry.headers.get('content-type'), 'application/problem+json')
})

test('only the operator sees the delivery log', async t => {
  const { ask } = await openOffice(t)
  const stranger = { headers: { Authorization: 'Bearer somebody-else-altogether' } }
  assert.equal((await ask('/admin/mail', stranger)).status, 401)
  assert.equal((await ask('/admin/mail/x/retry', { method: 'POST', ...stranger })).status, 401)
  assert.equal((await ask('/admin/mail')).status, 200)
  assert.equal((await ask('/admin/mail?offset=-1')).status, 422)
})

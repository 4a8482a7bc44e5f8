import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInbox } from '../../src/testing/inbox.ts'
import { oneJob } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { startHook } from './notices.fixture.ts'

const files = { 'manifest.ts': oneJob('async () => {}') }

test('a person sets up notices with the form, tests them and sees what was sent', async t => {
  const { app, notices, signIn } = await startWeb(t, { files, publicUrl: 'http://acme.example.com' })
  const [inbox, hook] = await Promise.all([startInbox(t), startHook(t)])
  const Cookie = await signIn()
  const page = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  assert.match(await page('/settings'), /No one is notified/)
  assert.match(await page('/settings/notices'), /Nothing has been sent yet/)
  const early = await postForm(app, '/api/notices/test', {}, { Cookie })
  assert.equal(early.status, 409)

  const typed = {
    email_to: 'a@example.com,b@example.com',
    smtp_url: inbox.url,
    smtp_from: 'Jobs <jobs@example.com>',
    webhook_url: hook.url,
    heartbeat_url: '',
    failures_in_a_row: '2',
  }
  const saved = await postForm(app, '/api/settings/notices', typed, { Cookie })
  assert.equal(saved.status, 200)
  const shown = await saved.text()
  assert.match(shown, /whsec_[\w-]{32}/)
  assert.ok(!shown.includes('s3cret'))
  const later = await page('/settings')
  assert.ok(!later.includes('whsec_'), 'the signing secret is shown once')
  assert.match(later, /jobs:\*\*\*@127/)
  assert.match(later, /value="2"/)

  // The masked address that a browser sends back changes nothing.
  const masked = inbox.url.replace('s3cret', '***')
  await postForm(
    app,
    '/api/settings/notices',
    { ...typed, smtp_url: masked, failures_in_a_row: '3' },
    { Cookie },
  )
  assert.equal(notices.settings.current().smtpUrl, inbox.url)
  assert.equal(notices.settings.current().failuresInARow, 3)

  const tested = await postForm(app, '/api/notices/test', {}, { Cookie })
  assert.match(await tested.text(), /Sending a test/)
  await notices.outbox.flush()
  assert.deepEqual(inbox.mails[0]?.to, ['a@example.com', 'b@example.com'])
  assert.equal(hook.calls.length, 1)
  assert.match(await page('/settings/notices'), /\[acme\] a test/)
  const list = await app.request('/api/notices?limit=1', { headers: { Cookie } })
  const { messages, total } = (await list.json()) as { messages: { status: string }[]; total: number }
  assert.deepEqual([messages.length, messages[0]?.status, total], [1, 'sent', 2])
})

test('a browser that loads the address of a refused form again gets the form', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const path = '/api/settings/notices'
  const again = await app.request(path, { headers: { ...browser, Cookie } })
  assert.deepEqual([again.status, again.headers.get('location')], [303, '/settings'])
  assert.equal((await app.request(path, { headers: { Cookie } })).status, 200)
})

test('an error is shown beside its field, and changes nothing', async t => {
  const { app, notices, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  for (const [field, value, words] of [
    ['email_to', 'nobody', /Must be addresses such as/],
    ['smtp_url', 'mail.example.com', /Must be an address such as smtp:/],
    ['smtp_from', 'me', /Must be an address such as jobs@/],
    ['webhook_url', 'ftp://example.com', /Must be an address such as https:/],
    ['slack_url', 'hooks.slack.com', /Must be an address such as https:\/\/hooks.slack/],
    ['discord_url', 'mailto:a@b.c', /Must be an address such as https:\/\/discord/],
    ['heartbeat_url', 'javascript:alert(1)', /Must be an address such as https:/],
    ['failures_in_a_row', '0', /Must be a whole number from 1 to 20/],
    ['email_to', 'you@example.com', /Must be set for mail to be sent/],
  ] as const) {
    const form = await postForm(app, '/api/settings/notices', { [field]: value }, { Cookie })
    assert.equal(form.status, 422, field)
    const page = await form.text()
    assert.match(page, words)
    assert.ok(page.includes(`value="${value}"`), 'what was typed is kept')
    const answer = await app.request('/api/settings/notices', {
      method: 'PUT',
      headers: { Cookie },
      body: JSON.stringify({ [field]: value }),
    })
    assert.equal(answer.status, 422, field)
  }
  assert.equal(notices.settings.current().emailTo, '')
})

test('a script changes one setting, and reads the settings without the password', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const made = await postJson(app, '/api/tokens', { name: 'ops', scope: 'write' }, { Cookie })
  const reader = await postJson(app, '/api/tokens', { name: 'board', scope: 'read' }, { Cookie })
  const bearer = async (answer: Response) => ({
    Authorization: `Bearer ${((await answer.json()) as { secret: string }).secret}`,
  })
  const [write, read] = [await bearer(made), await bearer(reader)]
  const put = (body: unknown, headers: Record<string, string>) =>
    app.request('/api/settings/notices', { method: 'PUT', body: JSON.stringify(body), headers })
  const first = await put({ webhook_url: 'https://example.com/x', failures_in_a_row: 4 }, write)
  assert.match(((await first.json()) as { webhook_secret: string }).webhook_secret, /^whsec_/)
  const second = await put({ smtp_url: 'smtp://u:pw@mail.example.com' }, write)
  assert.ok(!('webhook_secret' in ((await second.json()) as object)))
  assert.equal((await app.request('/api/settings/notices', { headers: read })).status, 403)
  assert.equal((await app.request('/api/notices', { headers: read })).status, 200)
  const settings = await app.request('/api/settings/notices', { headers: write })
  assert.deepEqual(await settings.json(), {
    email_to: '',
    smtp_url: 'smtp://u:***@mail.example.com',
    smtp_from: '',
    webhook_url: 'https://example.com/x',
    slack_url: '',
    discord_url: '',
    heartbeat_url: '',
    failures_in_a_row: 4,
    channels: { email: false, webhook: true, slack: false, discord: false },
    heartbeat: null,
    commit_status: null,
  })
})

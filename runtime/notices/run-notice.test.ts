import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, until } from '../engine.fixture.ts'
import { shapeOf } from './messages/shape.ts'
import { startHook, startWatched } from './notices.fixture.ts'

interface Run {
  id: string
  url: string
  status: string
  trigger: string
  commit: string
  attempt: number
  started_at: string
  error: { message: string; stack: string }
  place: { file: string; line: number; column: number; url: string }
  log_tail: string
}

const secret = 'correct-horse-battery-staple'
const files = {
  'manifest.ts': `${registry}jobRegistry.register({ id: 'job', cron: '0 8 1 1 *', secrets: ['KEY'], func: async ({ secrets }) => {
  for (let line = 1; line <= 30; line++) console.log('line', line)
  console.log('\\u001b[31m<!channel> & \`\`\`', secrets.KEY)
  throw new Error('no answer for ' + secrets.KEY, { cause: new Error('the socket hung up') })
} })`,
}

test('a notice contains the run’s address, commit, error with causes, and the masked end of its log', async t => {
  const { instance, hook, inbox, round } = await startWatched(t, { files })
  instance.engine.secrets.set('KEY', secret)
  const { id } = await instance.ended(instance.engine.run('job', { trigger: 'api' }).id)
  await round()
  const body = JSON.parse(hook.calls[0]?.body ?? '') as { kind: string; reminder: number; run: Run }
  const { run } = body
  assert.deepEqual([body.kind, body.reminder], ['opened', 0])
  assert.equal(run.url, `https://acme.example.com/runs/${id}`)
  assert.deepEqual([run.id, run.status, run.trigger, run.attempt], [id, 'failed', 'api', 1])
  assert.equal(run.commit, (await instance.engine.repo()).head?.commit)
  assert.match(run.started_at, /^2026-11-22T12:00:00.000Z$/)
  assert.match(run.error.message, /^no answer for \*\*\*/)
  const { url: code, ...place } = run.place
  assert.deepEqual(place, { file: 'manifest.ts', line: 5, column: 9 })
  const address = `https://acme.example.com/repo/history/${run.commit}/files/manifest.ts?line=5&column=9#L5`
  assert.equal(code, address)
  assert.match(run.error.stack, /Caused by: Error: the socket hung up/)
  assert.match(run.log_tail, /^line 12\nline 13\n[\s\S]*line 30\n<!channel> & ``` \*\*\*$/)
  const mail = (inbox.mails[0]?.text ?? '')
    .replaceAll('=\r\n', '')
    .replaceAll('=3D', '=')
    .replaceAll('\r\n', '\n')
  for (const words of [
    `Run: https://acme.example.com/runs/${id}`,
    `Commit: ${run.commit}`,
    `Failed at: ${address}`,
    'Caused by: Error: the socket hung up',
    '  line 30',
  ])
    assert.ok(mail.includes(words), words)
  for (const { body } of hook.calls) assert.ok(!body.includes(secret))
  assert.ok(!mail.includes(secret))
})

test('Slack and Discord get their own formats, within their limits and without mentions from a log', async t => {
  const long = {
    'manifest.ts': files['manifest.ts'].replace("'line', line", "'x'.repeat(900) + '<<<', line"),
  }
  const watched = await startWatched(t, { files: long, channels: false })
  const { instance, notices, round } = watched
  const [slack, discord] = await Promise.all([startHook(t), startHook(t)])
  notices.settings.save({ slackUrl: slack.url, discordUrl: discord.url })
  instance.engine.secrets.set('KEY', secret)
  const { id } = await instance.ended(instance.engine.run('job', { trigger: 'api' }).id)
  await round()
  const address = `https://acme.example.com/runs/${id}`

  const message = JSON.parse(slack.calls[0]?.body ?? '') as {
    text: string
    blocks: { type: string; text?: { type: string; text: string } }[]
  }
  assert.equal(message.text, '[acme] job failed')
  assert.deepEqual(
    message.blocks.map(({ type }) => type),
    ['header', 'section', 'section', 'section', 'section', 'context'],
  )
  for (const { type, text } of message.blocks)
    assert.ok((text?.text.length ?? 0) <= (type === 'header' ? 150 : 3000), type)
  const said = JSON.stringify(message)
  assert.ok(said.includes(`<${address}|${id}>`))
  assert.match(said, /Caused by: Error: the socket hung up/)
  assert.match(said, /\*Failed at:\* <https:[^|]+manifest\.ts\?line=5&amp;column=9#L5\|manifest\.ts:5>/)
  assert.match(said, /&lt;!channel&gt; &amp; '''/)
  assert.ok(!said.includes('<!channel>') && !said.includes(secret))
  assert.equal(slack.calls[0]?.headers['longhouse-signature'], undefined)

  const posted = JSON.parse(discord.calls[0]?.body ?? '') as {
    allowed_mentions: object
    embeds: { title: string; description: string; url: string; fields: { name: string; value: string }[] }[]
  }
  const [embed] = posted.embeds
  assert.deepEqual(posted.allowed_mentions, { parse: [] })
  assert.deepEqual([embed?.title, embed?.url], ['[acme] job failed', address])
  assert.match(embed?.fields.at(-1)?.value ?? '', /^\[manifest\.ts:5\]\(https:[^)]+#L5\)$/)
  assert.ok((embed?.description.length ?? 9999) <= 4096)
  assert.match(embed?.description ?? '', /Caused by: Error: the socket hung up/)
  assert.equal(embed?.description.split('```').length, 5, 'a log cannot end its own block')
  assert.ok(!JSON.stringify(posted).includes(secret))

  assert.equal(notices.test(), 2)
  await notices.outbox.flush()
  assert.deepEqual([slack.calls.length, discord.calls.length], [2, 2])
})

test('Slack and Discord addresses are recognised in any field', () => {
  for (const [url, shape] of [
    ['https://hooks.slack.com/services/T0/B0/x', 'slack'],
    ['https://hooks.slack.com/triggers/T0/1/x', 'slack'],
    ['https://hooks.slack-gov.com/services/T0/B0/x', 'slack'],
    ['https://discord.com/api/webhooks/1/x', 'discord'],
    ['https://ptb.discord.com/api/webhooks/1/x', 'discord'],
    ['https://discordapp.com/api/v10/webhooks/1/x', 'discord'],
    ['https://hooks.slack.com.example.com/services/x', 'longhouse'],
    ['https://example.com/hooks.slack.com', 'longhouse'],
    ['https://notdiscord.com/api/webhooks/1/x', 'longhouse'],
  ] as const)
    assert.equal(shapeOf(url), shape, url)
})

test('a long run by API is reported although manual runs are not', async t => {
  const stays = {
    'manifest.ts': `${registry}jobRegistry.register({ id: 'job', cron: '* * * * *', timeout: '1h', notify: { overdue: false },
  func: () => new Promise(() => setInterval(() => {}, 1000)) })`,
  }
  const { instance, clock, hook, round } = await startWatched(t, { files: stays })
  const { engine } = instance
  engine.run('job', { trigger: 'manual' })
  await until(() => engine.job('job')?.lastRun?.status === 'running', 'it runs')
  clock.at += 600_000
  await round()
  assert.equal(hook.calls.length, 0)
  const byApi = engine.run('job', { trigger: 'api' })
  await until(() => engine.getRun(byApi.id)?.status === 'running', 'it runs')
  clock.at += 180_000
  engine.run('job', { trigger: 'manual' })
  await round()
  const { type, text, run } = JSON.parse(hook.calls[0]?.body ?? '') as {
    type: string
    text: string
    run: Run
  }
  assert.deepEqual([type, run.id], ['job.too-long', byApi.id])
  assert.match(text, /^Its last run has taken 180 seconds, and it is due every 60\./)
})

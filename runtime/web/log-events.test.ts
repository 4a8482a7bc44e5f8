import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { instanceId, postJson, startWeb } from './web.fixture.ts'

test('a log as events: replays, goes on live, and ends with the run', async t => {
  const files = {
    'manifest.ts': oneJob(`async c => {
      c.log('first')
      const { existsSync } = await import('node:fs')
      while (!existsSync(c.params.until)) await new Promise(go => setTimeout(go, 20))
      c.log('second')
    }`),
  }
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const until = instance.path('go.txt')
  const started = await postJson(app, '/api/jobs/job/run', { params: { until } }, { Cookie })
  const { id } = (await started.json()) as { id: string }
  const follow = () =>
    app.request(`/api/runs/${id}/log`, { headers: { Cookie, Accept: 'text/event-stream' } })
  const live = await follow()
  assert.match(live.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(live.headers.get('longhouse-instance'), instanceId, 'or it gets through no router')
  const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader()
  let seen = ''
  while (!seen.includes('first')) seen += (await reader?.read())?.value ?? ''
  assert.ok(!seen.includes('second'))
  instance.write('go.txt', '')
  for (;;) {
    const piece = await reader?.read()
    if (!piece || piece.done) break
    seen += piece.value
  }
  assert.match(seen, /data: .*second/)
  assert.match(seen, /event: end\ndata: \{"id":"run_.*"status":"succeeded"/)
  const replay = await (await follow()).text()
  assert.match(replay, /first[\s\S]*second[\s\S]*event: end/)
})

test('a stopping program ends the events that are open', async t => {
  const sleeper = { 'manifest.ts': oneJob('() => new Promise(() => setInterval(() => {}, 1000))') }
  const { app, signIn, stopping } = await startWeb(t, { files: sleeper })
  const Cookie = await signIn()
  const { id } = (await (await postJson(app, '/api/jobs/job/run', {}, { Cookie })).json()) as { id: string }
  const headers = { Cookie, Accept: 'text/event-stream' }
  const live = await app.request(`/api/runs/${id}/log`, { headers })
  stopping.abort()
  assert.doesNotMatch(await live.text(), /event: end/)
})

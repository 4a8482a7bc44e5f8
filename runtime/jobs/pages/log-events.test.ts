import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../src/clock.ts'
import { EventStreams } from '../../../src/http/events/event-streams.ts'
import type { EventReader } from '../../../src/http/events/readers.ts'
import { oneJob, startInstance } from '../../engine.fixture.ts'
import { instanceId, postJson, startWeb } from '../../web/web.fixture.ts'
import type { Run } from '../contract.ts'
import { followLog } from './log-events.ts'

test('the log stream replays the log, continues live and ends with the run', async t => {
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

test('a stopping program ends open streams', async t => {
  const sleeper = { 'manifest.ts': oneJob('() => new Promise(() => setInterval(() => {}, 1000))') }
  const { app, signIn, stopping } = await startWeb(t, { files: sleeper })
  const Cookie = await signIn()
  const { id } = (await (await postJson(app, '/api/jobs/job/run', {}, { Cookie })).json()) as { id: string }
  const headers = { Cookie, Accept: 'text/event-stream' }
  const live = await app.request(`/api/runs/${id}/log`, { headers })
  stopping.abort()
  assert.doesNotMatch(await live.text(), /event: end/)
})

/** What the messages among the events say, and the id of the last one. */
function readEvents(events: string): { text: string; lastId: string } {
  const messages = events.split('\n\n').filter(each => each.startsWith('id: '))
  const text = messages.map(each => [...each.matchAll(/^data: (.*)$/gm)].map(([, line]) => line).join('\n'))
  return { text: text.join(''), lastId: /^id: (.*)/.exec(messages.at(-1) ?? '')?.[1] ?? '' }
}

/** The nth person who follows a log, and may go on. */
const person = (nth = 1): EventReader => ({
  who: `person ${nth}`,
  stillMay: async () => true,
  onAccessChange: () => () => {},
})

test('a slow reader gets the kept log once it reads, and a reader that reconnects continues where it left off', async t => {
  const { engine, run, ended, path, write } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob(`async ({ log, params }) => {
        const { existsSync } = await import('node:fs')
        log('first')
        while (params.until && !existsSync(params.until)) await new Promise(go => setTimeout(go, 20))
        for (let i = 0; i < (params.lines ?? 4000); i++) log(String(i).padStart(1000, '.'))
      }`),
    },
  })
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  const streams = new EventStreams({
    clock: systemClock,
    stopping: stopping.signal,
    most: 50,
    mostOfOne: 50,
  })
  const follow = (run: Run, options: { timed: boolean; lastId?: string }) =>
    followLog(streams, person(), engine.followed, run, options)
  const { id } = engine.run('job', { trigger: 'manual', params: { until: path('go') } })
  const going = engine.getRun(id)
  assert.ok(going)
  const idle = follow(going, { timed: false })
  const early = follow(going, { timed: false }).body?.pipeThrough(new TextDecoderStream()).getReader()
  let seen = ''
  while (!seen.includes('first')) seen += (await early?.read())?.value ?? ''
  await early?.cancel()
  write('go', '')
  const done = await ended(id)

  const late = await idle.text()
  assert.ok(late.length < 2 * 1024 * 1024, `it held ${late.length}`)
  assert.match(late, /event: end\ndata: .*"succeeded"/)
  assert.equal(readEvents(late).text, engine.log(id))
  const rest = await follow(done, { timed: false, lastId: readEvents(seen).lastId }).text()
  assert.equal(readEvents(seen).text + readEvents(rest).text, engine.log(id))
  assert.match(rest, /event: end/)

  const short = await run('job', { lines: 300 })
  for (const timed of [true, false]) {
    const all = await follow(short, { timed }).text()
    const whole = timed ? engine.timedLog(short.id) : engine.log(short.id)
    assert.equal(readEvents(all).text, whole)
    const half = all.slice(0, all.indexOf('\n\nid: ', all.indexOf('\n\nid: ') + 1) + 2)
    const { text, lastId } = readEvents(half)
    assert.ok(text.length > 0 && text.length < whole.length)
    const more = await follow(short, { timed, lastId }).text()
    assert.equal(text + readEvents(more).text, whole)
    const again = await follow(short, { timed, lastId: readEvents(all).lastId }).text()
    assert.match(again, /^retry: 2000\n\nevent: end\n/)
  }
})

test('the number of readers is limited, and an idle reader is disconnected', async t => {
  const { engine, run } = await startInstance(t, {
    files: { 'manifest.ts': oneJob("({ log }) => { for (let i = 0; i < 300; i++) log('x'.repeat(1000)) }") },
  })
  const done = await run('job')
  const { signal } = new AbortController()
  const streams = new EventStreams({
    ...{ clock: systemClock, stopping: signal },
    ...{ most: 2, mostOfOne: 1, beatMs: 5 },
  })
  let opened = 0
  const open = () => followLog(streams, person(++opened), engine.followed, done, { timed: false })
  const idle = open().body?.getReader()
  const other = open()
  assert.throws(open, { status: 503 })
  await other.body?.cancel()
  await open().text()
  await assert.rejects(async () => {
    await idle?.closed
  }, /not read; connect again to go on/)
  for (const text of await Promise.all([open().text(), open().text()])) assert.match(text, /event: end/)
})

test('a line end that comes in two pieces is one line end for a reader', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': oneJob(`async ({ params }) => {
        const { existsSync } = await import('node:fs')
        process.stdout.write('one\\r')
        while (!existsSync(params.until)) await new Promise(go => setTimeout(go, 20))
        process.stdout.write('\\ntwo\\rthree\\0\\r')
      }`),
    },
  })
  const Cookie = await signIn()
  const params = { until: instance.path('go.txt') }
  const { id } = instance.engine.run('job', { trigger: 'manual', params })
  const follow = () =>
    app.request(`/api/runs/${id}/log`, { headers: { Cookie, Accept: 'text/event-stream' } })
  const reader = (await follow()).body?.pipeThrough(new TextDecoderStream()).getReader()
  let seen = ''
  while (!seen.includes('one')) seen += (await reader?.read())?.value ?? ''
  instance.write('go.txt', '')
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
    seen += piece.value
  assert.equal(readEvents(seen).text, 'one\ntwo\nthree\u2400\n')
  assert.equal(readEvents(await (await follow()).text()).text, 'one\ntwo\nthree\u2400\n', 'and later')
})

test('a log is followed for as long as its reader may: not after a sign-out, and not with a revoked token', async t => {
  const sleeper = {
    'manifest.ts': oneJob("c => { c.log('goes'); return new Promise(() => setInterval(() => {}, 1000)) }"),
  }
  const { app, signIn } = await startWeb(t, { files: sleeper })
  const [Cookie, other] = [await signIn(), await signIn()]
  const { id } = (await (await postJson(app, '/api/jobs/job/run', {}, { Cookie })).json()) as { id: string }
  const made = await postJson(app, '/api/tokens', { name: 'reader', scope: 'read' }, { Cookie })
  const token = (await made.json()) as { id: string; secret: string }
  const follow = async (headers: Record<string, string>) => {
    const answer = await app.request(`/api/runs/${id}/log`, {
      headers: { ...headers, Accept: 'text/event-stream' },
    })
    assert.equal(answer.status, 200)
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ''
    const until = async (words: string | null) => {
      while (words === null || !seen.includes(words)) {
        const { value, done = true } = (await reader?.read()) ?? {}
        if (done) return seen
        seen += value
      }
      return seen
    }
    await until('goes')
    return until
  }
  const byToken = await follow({ Authorization: `Bearer ${token.secret}` })
  const bySession = await follow({ Cookie })
  const staying = await follow({ Cookie: other })
  const revoked = await app.request(`/api/tokens/${token.id}`, {
    method: 'DELETE',
    headers: { Cookie: other },
  })
  assert.equal(revoked.status, 204)
  assert.match(await byToken(null), /: your access has ended\n\n$/)
  await postJson(app, '/api/auth/logout', {}, { Cookie })
  const ended = await bySession(null)
  assert.match(ended, /: your access has ended\n\n$/)
  assert.doesNotMatch(ended, /event: end/)
  await postJson(app, `/api/runs/${id}/cancel`, {}, { Cookie: other })
  assert.match(await staying(null), /event: end\ndata: .*"cancelled"/)
})

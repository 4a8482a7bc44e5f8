import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { postJson, startWeb } from '../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("async c => { if (c.params.fail) throw new Error('no') }") }

/** Samples by name and labels; throws for a line that is none. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (HELP|TYPE) [a-z_]+ \S/.test(line)) continue
    const match = /^([a-z_]+(?:\{(?:[a-z]+="[^"]*",?)*\})?) (\S+)$/.exec(line)
    assert.ok(match, line)
    assert.ok(!samples.has(match[1] as string), `twice: ${line}`)
    samples.set(match[1] as string, Number(match[2]))
  }
  return samples
}

test('a scraper with a read token gets counters, gauges and histograms', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const made = await postJson(
    app,
    '/api/tokens',
    { name: 'prometheus', scope: 'read' },
    { Cookie: await signIn() },
  )
  const { secret } = (await made.json()) as { secret: string }
  const scrape = async () => {
    const answer = await app.request('/metrics', { headers: { Authorization: `Bearer ${secret}` } })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    return parse(await answer.text())
  }
  assert.equal((await app.request('/metrics')).status, 401)
  assert.equal((await app.request('/metrics', { headers: { Authorization: 'Bearer lht_x' } })).status, 401)

  const before = await scrape()
  assert.equal(before.get('longhouse_runs_total{status="succeeded"}'), 0)
  assert.equal(before.get('longhouse_job_last_success_timestamp_seconds{job="job"}'), 0)
  const good = await instance.run('job')
  await instance.run('job', { fail: true })
  for (let time = 0; time < 2; time++) {
    const figures = await scrape()
    assert.equal(figures.get('longhouse_runs_total{status="succeeded"}'), 1)
    assert.equal(figures.get('longhouse_runs_total{status="failed"}'), 1)
    assert.equal(figures.get('longhouse_run_duration_seconds_count{job="job"}'), 2)
    assert.equal(figures.get('longhouse_run_duration_seconds_bucket{job="job",le="+Inf"}'), 2)
    assert.equal(
      figures.get('longhouse_job_last_success_timestamp_seconds{job="job"}'),
      (good.finishedAt ?? 0) / 1000,
    )
    assert.equal(figures.get('longhouse_jobs{enabled="true"}'), 1)
    assert.equal(figures.get('longhouse_manifest_ok'), 1)
    assert.ok((figures.get('process_resident_memory_bytes') ?? 0) > 10_000_000)
  }
})

test('a run in progress at the first scrape is counted when it ends; due times are counted once', async t => {
  const sleeper = {
    'manifest.ts': oneJob('() => new Promise(() => setInterval(() => {}, 1000))').replace('0 8', '* *'),
  }
  const { app, instance, signIn } = await startWeb(t, { files: sleeper })
  const Cookie = await signIn()
  const scrape = async () => parse(await (await app.request('/metrics', { headers: { Cookie } })).text())
  await scrape()
  instance.engine.tick(instance.engine.job('job')?.nextRunAt ?? 0)
  const running = await scrape()
  assert.equal(running.get('longhouse_runs_running'), 1)
  assert.equal(running.get('longhouse_runs_total{status="cancelled"}'), 0)
  await instance.engine.cancel(instance.engine.job('job')?.lastRun?.id ?? '')
  const over = await scrape()
  assert.equal(over.get('longhouse_runs_running'), 0)
  assert.equal(over.get('longhouse_runs_total{status="cancelled"}'), 1)
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, registry, until } from '../../engine.fixture.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

const text = (page: string) => page.replace(/<[^>]+>/g, '')

test('a log shows the time of each line in the job’s zone, and marks lines of the error stream', async t => {
  const writes = `async ({ log }) => {
    log('first')
    console.error('\\x1b[31mno such file\\x1b[0m')
    process.stdout.write('10 %\\r50 %\\rdone\\r\\n')
    log('<b>last</b>')
  }`
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': oneJob(writes, "timezone: 'Asia/Tokyo'") },
  })
  const Cookie = await signIn()
  const { id } = await instance.run('job')
  const page = await (await app.request(`/runs/${id}`, { headers: { ...browser, Cookie } })).text()
  const tokyo = (at: number) => new Date(at + 9 * 3_600_000).toISOString().slice(11, 16)
  const run = instance.engine.getRun(id)
  const minutes = `(${tokyo(run?.startedAt ?? 0)}|${tokyo(run?.finishedAt ?? 0)})`
  assert.match(page, new RegExp(`class="log-at">${minutes}:\\d\\d\\.\\d{3}`))
  assert.match(text(page), /Times in Asia\/Tokyo/)
  assert.match(
    page,
    /class="log-line err" id="L2"><a class="log-number" href="\?line=2#L2"[^>]*>2<\/a><span class="log-at">[\d:.]*<b> err<\/b><\/span>/,
  )
  assert.match(page, /<span class="term-red">no such file<\/span>/)
  assert.match(page, /<span>done\n<\/span>/, 'a progress bar is where it came to')
  assert.match(page, /&lt;b&gt;last/)

  const plain = await app.request(`/api/runs/${id}/log`, { headers: { Cookie } })
  assert.match(await plain.text(), /^first$/m)
  const timed = await app.request(`/api/runs/${id}/log?timestamps=true`, { headers: { Cookie } })
  assert.match(await timed.text(), /^\d{4}-\d\d-\d\dT[\d:.]+Z out first$/m)
  const live = await app.request(`/api/runs/${id}/log?timestamps=true`, {
    headers: { Cookie, Accept: 'text/event-stream' },
  })
  const followed = await live.text()
  assert.match(followed, /data: \S+Z out first\n/)
  assert.match(followed, /data: \S+Z err /)
  const wrong = await app.request(`/api/runs/${id}/log?timestamps=yes`, { headers: { Cookie } })
  assert.equal(wrong.status, 422)
})

test('a long log shows its end, and links to every earlier part', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': oneJob(
        "({ params }) => process.stdout.write(params.one ? 'x'.repeat(100_000) : Array.from({ length: 3000 }, (_, i) => 'line ' + (i + 1) + '.' + (i % 900 ? '' : 'y'.repeat(60_000)) + '\\n').join(''))",
      ),
    },
  })
  const Cookie = await signIn()
  const pageAt = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const linesOf = (page: string) =>
    [...page.matchAll(/id="L(\d+)"[\s\S]*?<span>line (\d+)\.y*\n/g)].map(([, id, line]) => [id, line])
  const ways = (page: string) =>
    Object.fromEntries(
      [...page.matchAll(/class="button" href="([^"]+)">(First|Earlier|Later|Last)</g)].map(found => [
        found[2] as string,
        found[1]?.replace(/#.*/, '') as string,
      ]),
    )

  const { id } = await instance.run('job')
  const end = await pageAt(`/runs/${id}`)
  assert.match(text(end), /Lines 2702–3000 of 3000/)
  assert.deepEqual(linesOf(end).at(-1), ['3000', '3000'])
  const walked: string[] = []
  for (let at = ways(end).First; at; at = ways(await pageAt(at)).Later) {
    const shown = linesOf(await pageAt(at))
    assert.ok(shown.length > 0 && shown.length <= 500)
    for (const [number, line] of shown) {
      assert.equal(number, line)
      walked.push(line as string)
    }
  }
  assert.deepEqual(
    walked,
    Array.from({ length: 3000 }, (_, i) => String(i + 1)),
  )
  const back: string[] = []
  for (let at = ways(end).Earlier; at; at = ways(await pageAt(at)).Earlier)
    back.unshift(...linesOf(await pageAt(at)).map(([line]) => line as string))
  assert.deepEqual(back, walked.slice(0, 2701))

  const middle = await pageAt(`/runs/${id}?line=1234`)
  assert.match(middle, /class="log-line here" id="L1234"/)
  assert.equal(ways(middle).Last, `/runs/${id}`)
  assert.match(text(await pageAt(`/runs/${id}?line=99999`)), /–3000 of 3000/)
  for (const wrong of ['0', '-1', 'x', '1.5']) {
    const answer = await app.request(`/runs/${id}?line=${wrong}`, { headers: { ...browser, Cookie } })
    assert.equal(answer.status, 422)
    assert.match(await answer.text(), /line[\s\S]*must be the number of a line of the log, from 1/)
  }

  const one = await pageAt(`/runs/${(await instance.run('job', { one: true })).id}`)
  assert.match(one, /the beginning of this line is left out here/)
  assert.match(one, /x{40000}/)
  assert.match(await pageAt(ways(one).Earlier as string), />x{100000}\n/)
})

test('a log with its middle left out can be read by line number', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': oneJob(
        "() => { for (let i = 0; i < 40; i++) console.log(('chunk ' + i + ' ' + 'z'.repeat(90) + '\\n').repeat(400)) ; console.log('needle') }",
      ),
    },
  })
  const Cookie = await signIn()
  const { id } = await instance.run('job')
  const hits = await app.request('/api/jobs/job/runs?q=needle', { headers: { Cookie } })
  const { runs } = (await hits.json()) as { runs: { match: { in: string; line: number } }[] }
  const { line, in: where } = runs[0]?.match ?? {}
  assert.equal(where, 'log')
  const page = await (
    await app.request(`/runs/${id}?line=${line}`, { headers: { ...browser, Cookie } })
  ).text()
  assert.match(page, new RegExp(`class="log-line here" id="L${line}"[\\s\\S]*?<span>needle\n`))
})

test('a run links to its code, its attempts and the run that it replays; a waiting run says why', async t => {
  const waits = `async () => {
    const { existsSync } = await import('node:fs')
    while (!existsSync('data/go')) await new Promise(done => setTimeout(done, 10))
  }`
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': `${registry}
jobRegistry.register({ id: 'quick', cron: '@daily', func: () => 1 })
jobRegistry.register({ id: 'one', cron: '@daily', func: ${waits}, concurrencyKey: 'shop' })
jobRegistry.register({ id: 'two', cron: '@daily', func: ${waits}, concurrencyKey: 'shop' })`,
      'data/.keep': '',
      '.gitignore': 'data/',
    },
  })
  const { engine, path } = instance
  const Cookie = await signIn()
  const page = async (at: string) => (await app.request(at, { headers: { ...browser, Cookie } })).text()
  assert.match(await page('/runs'), /No runs yet/)
  const run = await instance.run('quick', { of: 'paper' })
  const first = await page(`/runs/${run.id}`)
  assert.match(first, new RegExp(`href="/repo/history/${run.commit}"`))
  assert.match(first, new RegExp(`action="/api/runs/${run.id}/replay"`))
  assert.match(text(first), /"of": "paper"|&quot;of&quot;: &quot;paper&quot;/)
  assert.doesNotMatch(first, /Attempts and replays/)
  const again = engine.replay(run.id, 'manual')
  await instance.ended(again?.id ?? '')
  assert.match(await page(`/runs/${run.id}`), new RegExp(`href="/runs/${again?.id}"`))
  assert.match(await page(`/runs/${again?.id}`), new RegExp(`Replay of[\\s\\S]*href="/runs/${run.id}"`))

  engine.run('one', { trigger: 'manual' })
  const waiting = engine.run('two', { trigger: 'manual' })
  const wait = await page(`/runs/${waiting.id}`)
  assert.match(text(wait), /Queued, position 1/)
  assert.match(text(wait), /concurrency key (&quot;|")shop/)
  const all = await page('/runs')
  assert.match(all, new RegExp(`id="waiting-${waiting.id}"`))
  assert.match(all, new RegExp(`action="/api/runs/${waiting.id}/cancel"`))
  writeFileSync(path('data/go'), '')
  await until(() => engine.waiting().length === 0, 'all have their turn')
})

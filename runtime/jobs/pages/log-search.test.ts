import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { oneJob } from '../../engine.fixture.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

const files = {
  'manifest.ts': oneJob(`async c => {
    c.log('starting'); c.log(c.params.say); c.log('done')
    if (c.params.fail) throw new Error(c.params.fail)
  }`),
}

interface Found {
  runs: { id: string; match?: { in: string; line: number; text: string } }[]
  total: number
  complete?: boolean
}

test('runs can be searched by their log and their error', async t => {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const ask = async (query: string) => {
    const answer = await app.request(`/api/jobs/job/runs?${query}`, { headers: { Cookie } })
    assert.equal(answer.status, 200)
    return (await answer.json()) as Found
  }
  const ids: string[] = []
  for (const say of ['order 17 shipped', 'nothing to do', `${'x'.repeat(500)} Order 18 shipped`]) {
    ids.push((await instance.run('job', { say })).id)
  }
  ids.push((await instance.run('job', { say: '', fail: 'no such order' })).id)

  const orders = await ask('q=ORDER')
  assert.deepEqual([orders.total, orders.complete], [3, true])
  assert.deepEqual(
    orders.runs.map(run => run.id),
    [ids[3], ids[2], ids[0]],
  )
  assert.deepEqual(orders.runs[2]?.match, { in: 'log', line: 2, text: 'order 17 shipped' })
  const long = orders.runs[1]?.match?.text ?? ''
  assert.ok(long.startsWith('…') && long.length <= 202 && long.endsWith('Order 18 shipped'))
  const second = await ask('q=order&limit=1&offset=1')
  assert.deepEqual([second.runs[0]?.id, second.total], [ids[2], 3])
  assert.deepEqual((await ask('q=unheard')).runs, [])
  const all = await ask('q=')
  assert.deepEqual([all.total, all.runs[0]?.match], [4, undefined])

  const page = async (search: string) =>
    (await app.request(`/jobs/job?search=${search}`, { headers: { ...browser, Cookie } })).text()
  const found = await page('17')
  assert.match(
    found,
    new RegExp(`href="/runs/${ids[0]}\\?line=2&amp;find=17#hit"><code>order <mark>17</mark> shipped`),
  )
  assert.equal(orders.runs[0]?.match?.in, 'error')
  assert.match(await page('such'), new RegExp(`href="/runs/${ids[3]}"><code>no <mark>such</mark> order`))
  assert.ok(!found.includes(`/runs/${ids[1]}"`) || found.indexOf(`row-${ids[1]}`) < 0)
  assert.ok(!found.includes('hx-trigger'), 'a search is not repeated every other second')
  assert.match(await page('unheard'), /No log contains this text/)
})

test('a search finds what a terminal would show, and what it showed before', async t => {
  const writes = `async () => {
    process.stdout.write('\\x1b[31mcon\\x1b[1mnection\\x1b[0m \\x1b]8;;https://example.com\\x07lost\\x1b]8;;\\x07\\n')
    process.stdout.write('fetched 10 %\\rfetched 90 %\\r\\x1b[2Kall fetched\\n')
    process.stdout.write(Buffer.from([0x62, 0x69, 0x6e, 0, 0xff, 0x61, 0x72, 0x79, 0x0a]))
    console.log('\u0130stanbul ' + 'x'.repeat(300_000) + ' needle ' + 'y'.repeat(300_000))
  }`
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob(writes) } })
  const Cookie = await signIn()
  const { id } = await instance.run('job')
  const matchOf = async (words: string) => {
    const query = new URLSearchParams({ q: words })
    const answer = await app.request(`/api/jobs/job/runs?${query}`, { headers: { Cookie } })
    return ((await answer.json()) as Found).runs[0]?.match
  }
  assert.deepEqual(await matchOf('connection lost'), { in: 'log', line: 1, text: 'connection lost' })
  assert.deepEqual(await matchOf('ALL FETCHED'), { in: 'log', line: 2, text: 'all fetched' })
  assert.deepEqual(await matchOf('90 %'), { in: 'log', line: 2, text: 'fetched 90 %' })
  assert.deepEqual(await matchOf('ary'), { in: 'log', line: 3, text: 'bin\u2400\ufffdary' })
  const long = await matchOf('NEEDLE')
  assert.equal(long?.line, 4)
  assert.match(long?.text ?? '', /^…x+ needle y+…$/, 'in the middle of what is shown')
  assert.equal(await matchOf('31m'), undefined, 'the codes themselves are not text')
  const page = await app.request(`/runs/${id}?line=4&find=needle`, { headers: { ...browser, Cookie } })
  assert.match(await page.text(), /x <mark id="hit">needle<\/mark> y/)

  const file = join(instance.dir, 'runs', `${id}.log`)
  const found = spawnSync('grep', ['-c', 'ary'], {
    input: readFileSync(file),
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
  })
  assert.equal(found.stdout, '1\n')
  const bytes = readFileSync(file)
  assert.ok(!bytes.includes(0) && isUtf8(bytes))
})

test('due times can be filtered by date', async t => {
  const hourly = { 'manifest.ts': oneJob('async () => {}').replace('0 8', '0 *') }
  const { app, instance, signIn } = await startWeb(t, { files: hourly })
  const Cookie = await signIn()
  const first = instance.engine.job('job')?.nextRunAt ?? 0
  const hour = 3_600_000
  for (let passed = 0; passed < 5; passed++) {
    instance.engine.tick(first + passed * hour)
    await instance.ended(instance.engine.job('job')?.lastRun?.id ?? '')
  }
  const at = (hours: number) => new Date(first + hours * hour).toISOString()
  const ask = async (query: string) => {
    const answer = await app.request(`/api/jobs/job/slots?${query}`, { headers: { Cookie } })
    return (await answer.json()) as {
      slots: { slot: string; outcome: string; run_id: string }[]
      total: number
    }
  }
  const some = await ask(`from=${at(1)}&to=${at(4)}&limit=2`)
  assert.equal(some.total, 3)
  assert.deepEqual(
    some.slots.map(each => [each.slot, each.outcome]),
    [
      [at(3), 'ran'],
      [at(2), 'ran'],
    ],
  )
  assert.match(some.slots[0]?.run_id ?? '', /^run_/)
  assert.equal((await ask('')).total, 5)
  const wrong = await app.request('/api/jobs/job/slots?from=noon', { headers: { Cookie } })
  assert.equal(wrong.status, 422)
  assert.match(await wrong.text(), /must be a time such as/)
})

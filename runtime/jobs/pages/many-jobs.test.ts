import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { registry } from '../../engine.fixture.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

const manyJobs = {
  'manifest.ts': `${registry}for (let i = 0; i < 250; i++) {
    const id = 'job-' + String(i).padStart(3, '0')
    jobRegistry.register({ id, cron: '0 8 * * *', func: () => {}, description: i === 7 ? 'Waters the plants.' : '' })
  }`,
}

/** Gives each of these jobs so many runs that are over, the newest failed. */
function giveHistory(dir: string, jobs: readonly string[], runs: number): void {
  const sqlite = new Database(join(dir, 'longhouse.db'))
  const insert = sqlite.prepare(
    `insert into jobs_runs (id, jobId, status, trigger, attempt, build, params, timeoutMs, queuedAt, finishedAt, durationMs)
     values (?, ?, ?, 'schedule', 1, '', '{}', 1000, 0, 1, ?)`,
  )
  sqlite.transaction(() => {
    for (let i = 1; i <= runs; i++) {
      for (const job of jobs) insert.run(`run_${job}_${i}`, job, i === runs ? 'failed' : 'succeeded', i)
    }
  })()
  sqlite.close()
}

test('the list of jobs takes the same number of queries for any number of jobs', async t => {
  const one = await startWeb(t, { files: { 'manifest.ts': manyJobs['manifest.ts'].replace('250', '1') } })
  const many = await startWeb(t, { files: manyJobs })
  giveHistory(many.instance.dir, ['job-000', 'job-007', 'job-200'], 30)
  const statements = async ({ app, signIn }: typeof one, path: string) => {
    const headers = { Cookie: await signIn(), ...(path.startsWith('/api') ? {} : browser) }
    return countStatements(t, async () => {
      assert.equal((await app.request(path, { headers })).status, 200)
    })
  }
  for (const path of ['/', '/api/jobs', '/?offset=100', '/?search=plants']) {
    const [asked, least] = [await statements(many, path), await statements(one, path)]
    // What the instance does by itself meanwhile may be among them.
    assert.ok(asked <= least + 5, `${path} asks ${asked} times, with one job ${least} times`)
  }
})

test('a long list of jobs is paginated, shows the last runs of each job, and can be searched', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: manyJobs })
  giveHistory(instance.dir, ['job-000', 'job-007', 'job-200'], 30)
  const Cookie = await signIn()
  const ask = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const rows = (page: string) => [...page.matchAll(/<tr id="job-(job-\d+)"/g)].map(match => match[1])

  const first = await ask('/')
  assert.deepEqual([rows(first).length, rows(first)[0]], [100, 'job-000'])
  assert.match(first, /1–100 of 250/)
  assert.match(first, /Last 16 runs: 15 succeeded, 1 failed/)
  const last = await ask('/?offset=200')
  assert.deepEqual([rows(last).length, rows(last)[0]], [50, 'job-200'])
  assert.match(last, /hx-get="\/\?offset=200"/)
  assert.deepEqual(
    rows(await ask('/?search=JOB-19')),
    Array.from({ length: 10 }, (_, i) => `job-19${i}`),
  )
  assert.deepEqual(rows(await ask('/?search=plants+waters')), ['job-007'])
  assert.match(await ask('/?search=%3Ci%3E'), /No job has “&lt;i&gt;” in its id or description/)

  const answer = await app.request('/api/jobs', { headers: { Cookie } })
  const { jobs } = (await answer.json()) as { jobs: { id: string; last_run: { id: string } | null }[] }
  assert.equal(jobs.length, 250)
  const runOf = new Map(jobs.map(job => [job.id, job.last_run?.id]))
  assert.deepEqual([runOf.get('job-007'), runOf.get('job-008')], ['run_job-007_30', undefined])
})

/** How many statements are prepared meanwhile, on whatever connection. */
async function countStatements(t: TestContext, work: () => Promise<void>): Promise<number> {
  const prepare = t.mock.method(Database.prototype, 'prepare')
  await work()
  const count = prepare.mock.callCount()
  prepare.mock.restore()
  return count
}

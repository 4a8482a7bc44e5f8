import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Reply } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { drivers, type Longhouse, startLonghouse } from './longhouse.fixture.ts'

interface RunJson {
  id: string
  job_id: string
  status: string
  trigger: string
  slot: string | null
  commit: string | null
  duration_ms: number | null
  result: unknown
}
interface SlotJson {
  slot: string
  outcome: string
  run_id: string | null
}
interface JobsJson {
  jobs: { id: string; cron: string; enabled: boolean; next_run_at: string | null; last_run: RunJson | null }[]
  manifest: {
    status: string
    commit: string | null
    errors: { file: string; line: number; column: number; message: string }[]
  }
}

const manifest = (jobs: string) => `import { jobRegistry } from 'longhouse/jobs'\n${jobs}\n`
const job = (id: string, cron: string, body = 'return 1') =>
  `jobRegistry.register({ id: '${id}', cron: '${cron}', func: async () => { ${body} } })`

function save(longhouse: Longhouse, subdomain: string, file: string, text: string): void {
  writeFileSync(join(longhouse.dataRoot, subdomain, 'jobs', file), text)
}

const cookieOf = (reply: Reply): string => reply.headers['set-cookie']?.[0]?.split(';')[0] ?? ''

/** Opens an answer that goes on, and reads it as it comes. */
async function live(port: number, path: string, headers: Record<string, string>) {
  let text = ''
  const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  return { status: answer.statusCode, text: () => text, ended: once(answer, 'end') }
}

for (const { driver, skip } of drivers) {
  test(`jobs of an instance, ${driver} driver`, { skip }, async t => {
    const longhouse = await startLonghouse(t, { driver })
    const { password } = await longhouse.provision('acme')
    const api = await longhouse.login('acme', password)
    const jobs = async () => (await api('/api/jobs')).json<JobsJson>()

    await t.test('the starter job runs on request and logs what it did', async () => {
      const { jobs: listed, manifest } = await eventually('the first set is committed', async () => {
        const state = await jobs()
        return state.manifest.commit !== null && state
      })
      assert.equal(manifest.status, 'ok')
      assert.match(manifest.commit ?? '', /^[0-9a-f]{40}$/)
      assert.equal(listed[0]?.id, 'daily-digest')
      assert.equal(listed[0]?.cron, '0 8 * * *')
      assert.match(listed[0]?.next_run_at ?? '', /T\d\d:00:00\.000Z$/)
      const started = await api('/api/jobs/daily-digest/run', { method: 'POST' })
      assert.ok([200, 201, 202].includes(started.status), started.text)
      const { id } = started.json<RunJson>()
      const run = await eventually('it ended', async () => {
        const run = (await api(`/api/runs/${id}`)).json<RunJson>()
        return !['queued', 'running'].includes(run.status) && run
      })
      assert.equal(run.status, 'succeeded')
      assert.equal(run.commit, manifest.commit)
      assert.ok((await api(`/api/runs/${id}/log`)).text.length > 10)
    })

    await t.test(
      'a job saved in the volume goes live, and a job that is due every second runs every second',
      async () => {
        save(
          longhouse,
          'acme',
          'manifest.ts',
          manifest(job('tick', '* * * * * *', 'console.log(process.pid); return process.pid')),
        )
        await eventually('tick is live', async () => (await jobs()).jobs[0]?.id === 'tick')
        const runs = await eventually('five slots have run', async () => {
          const { runs } = (await api('/api/jobs/tick/runs')).json<{ runs: RunJson[] }>()
          const done = runs.filter(run => run.status === 'succeeded' && run.trigger === 'schedule')
          return done.length >= 5 && done
        })
        // A run longer than a second causes a skipped slot, which is reported too.
        const { slots } = (await api('/api/jobs/tick/slots?limit=100')).json<{ slots: SlotJson[] }>()
        const at = slots.map(({ slot }) => Date.parse(slot)).sort((a, b) => a - b)
        for (const [i, slot] of at.entries()) {
          assert.equal(slot % 1000, 0)
          if (i > 0) assert.equal(slot - (at[i - 1] ?? 0), 1000, 'no second is left out')
        }
        const ran = new Map(slots.map(({ slot, run_id }) => [slot, run_id]))
        for (const run of runs) assert.equal(ran.get(run.slot ?? ''), run.id, 'each has its slot')
        assert.equal(new Set(runs.map(run => run.result)).size, runs.length, 'each in its own process')
        assert.match((await api(`/api/runs/${runs[0]?.id}/log`)).text, /\d+/)
      },
    )

    await t.test('the log of a run streams live through the router', async () => {
      const waits = job(
        'waits',
        '0 0 1 1 *',
        `console.log('first'); await new Promise(r => setTimeout(r, 6e7))`,
      )
      save(longhouse, 'acme', 'manifest.ts', manifest(`${job('tick', '* * * * * *')}\n${waits}`))
      await eventually('it is live', async () => (await jobs()).jobs.some(({ id }) => id === 'waits'))
      const { id } = (await api('/api/jobs/waits/run', { method: 'POST' })).json<RunJson>()
      const log = await live(longhouse.port, `/api/runs/${id}/log`, {
        Host: `acme.localhost:${longhouse.port}`,
        Cookie: cookieOf(await longhouse.instance('acme', '/api/auth/password', { body: { password } })),
        Accept: 'text/event-stream',
      })
      assert.equal(log.status, 200)
      await eventually('the first line is here', () => log.text().includes('data: first'))
      assert.doesNotMatch(log.text(), /event: end/)
      assert.equal((await api(`/api/runs/${id}/cancel`, { method: 'POST' })).status, 200)
      await log.ended
      assert.match(log.text(), /event: end\ndata: .*"status":"cancelled"/)
    })

    await t.test('a request to upgrade to an unknown protocol gets an ordinary response', async () => {
      for (const Upgrade of ['websocket', 'something/1']) {
        const answer = await longhouse.instance('acme', '/api/health', {
          headers: { Connection: 'Upgrade', Upgrade },
        })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.json<{ status: string }>().status, 'ok')
      }
    })

    await t.test('a broken save keeps the last good set and reports the place of the error', async () => {
      save(longhouse, 'acme', 'manifest.ts', `${manifest(job('tick', '* * * * * *'))}\nconst oops = {\n`)
      const broken = await eventually('the error shows', async () => {
        const state = await jobs()
        return state.manifest.status === 'error' && state
      })
      assert.equal(broken.jobs[0]?.id, 'tick')
      assert.equal(broken.manifest.errors[0]?.file, 'manifest.ts')
      assert.ok((broken.manifest.errors[0]?.line ?? 0) >= 4)
      assert.equal((await longhouse.instance('acme', '/api/health')).status, 200)
      const before = (await api('/api/jobs/tick/runs')).json<{ total: number }>().total
      await eventually(
        'it still runs',
        async () => (await api('/api/jobs/tick/runs')).json<{ total: number }>().total > before,
      )
      const page = await api('/', { headers: { Accept: 'text/html' } })
      assert.match(page.text, /manifest\.ts/)
    })

    await t.test('an invalid registration is refused with file and line', async () => {
      for (const [text, words] of [
        [job('repo', '* * * * *'), /repo/],
        [`${job('two', '* * * * *')}\n${job('two', '* * * * *')}`, /two/],
        [job('bad', '61 * * * *'), /cron/i],
        [`jobRegistry.register({ id: 'none', cron: '* * * * *' } as never)`, /func/],
        [`import x from 'no-such-package'\nx()`, /no-such-package/],
      ] as const) {
        save(longhouse, 'acme', 'manifest.ts', manifest(text))
        const error = await eventually(`${words} shows`, async () => {
          const { manifest } = await jobs()
          return manifest.errors.find(error => words.test(error.message))
        })
        assert.equal(error.file, 'manifest.ts')
        assert.ok(error.line >= 2)
      }
      assert.equal((await jobs()).jobs[0]?.id, 'tick')
    })

    await t.test('enable and disable survive a restart, with history and data', async () => {
      save(
        longhouse,
        'acme',
        'manifest.ts',
        manifest(`${job('tick', '* * * * * *')}\n${job('other', '0 0 1 1 *')}`),
      )
      await eventually('both are live', async () => (await jobs()).jobs.length === 2)
      assert.equal((await api('/api/jobs/tick/disable', { method: 'POST' })).status, 200)
      const before = (await api('/api/jobs/tick/runs')).json<{ total: number }>().total
      assert.equal(
        (await longhouse.admin('/admin/instances/acme/stop', { method: 'POST', wait: 60 })).json<{
          status: string
        }>().status,
        'stopped',
      )
      const away = await longhouse.instance('acme', '/api/health')
      assert.equal(away.status, 503)
      assert.ok(Number(away.headers['retry-after']) > 0)
      assert.equal(
        (await longhouse.admin('/admin/instances/acme/start', { method: 'POST', wait: 60 })).json<{
          status: string
        }>().status,
        'running',
      )
      const tick = (await jobs()).jobs.find(job => job.id === 'tick')
      assert.equal(tick?.enabled, false)
      assert.equal(tick?.next_run_at, null)
      const after = (await api('/api/jobs/tick/runs')).json<{ runs: RunJson[]; total: number }>()
      assert.equal(after.total, before)
      assert.ok(after.runs.every(run => !['queued', 'running'].includes(run.status)))
    })
  })

  test(`a volume that was filled before the first boot is used unchanged, ${driver} driver`, {
    skip,
  }, async t => {
    const longhouse = await startLonghouse(t, { driver })
    const repo = join(longhouse.dataRoot, 'filled', 'jobs')
    mkdirSync(repo, { recursive: true })
    const text = manifest(job('mine', '5 4 * * *'))
    writeFileSync(join(repo, 'manifest.ts'), text)
    writeFileSync(join(repo, 'NOTES'), 'do not touch')
    const { password } = await longhouse.provision('filled')
    const api = await longhouse.login('filled', password)
    const { jobs, manifest: state } = (await api('/api/jobs')).json<JobsJson>()
    assert.equal(state.status, 'ok')
    assert.deepEqual(
      jobs.map(({ id }) => id),
      ['mine'],
    )
    assert.equal(readFileSync(join(repo, 'manifest.ts'), 'utf8'), text)
    assert.equal(readFileSync(join(repo, 'NOTES'), 'utf8'), 'do not touch')
    assert.equal((await longhouse.instance('filled', '/api/jobs/repo')).text, '{"initialized":true}')
    rmSync(join(repo, 'NOTES'))
  })

  test(`wrong passwords and missing tokens are refused, ${driver} driver`, { skip }, async t => {
    const longhouse = await startLonghouse(t, { driver })
    const { password } = await longhouse.provision('acme')
    const other = await longhouse.provision('other')
    for (const [path, method] of [
      ['/api/jobs', 'GET'],
      ['/api/jobs/daily-digest/run', 'POST'],
      ['/api/jobs/daily-digest/runs', 'GET'],
      ['/api/jobs/repo/init', 'POST'],
    ] as const) {
      assert.equal((await longhouse.instance('acme', path, { method })).status, 401, `${method} ${path}`)
    }
    await assert.rejects(longhouse.login('acme', 'wrong-password'), /401/)
    await assert.rejects(longhouse.login('acme', other.password), /401/)
    const api = await longhouse.login('acme', password)
    assert.equal((await api('/api/jobs')).status, 200)
    const cookie = (await longhouse.instance('acme', '/api/auth/password', { body: { password } })).headers[
      'set-cookie'
    ]?.[0]
    const elsewhere = await longhouse.instance('other', '/api/jobs', {
      headers: { Cookie: cookie?.split(';')[0] ?? '' },
    })
    assert.equal(elsewhere.status, 401, 'a session of one instance opens no other')

    const path = '/admin/instances/acme/reset-password'
    const reset = (await longhouse.admin(path, { method: 'POST', wait: 60 })).json<{ password: string }>()
    assert.equal((await api('/api/jobs')).status, 401, 'the sessions of the old password have ended')
    await assert.rejects(longhouse.login('acme', password), /401/)
    assert.equal((await (await longhouse.login('acme', reset.password))('/api/jobs')).status, 200)
  })
}

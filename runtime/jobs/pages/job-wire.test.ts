import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry } from '../../engine.fixture.ts'
import { containerMemoryBytes, memoryOfRunsMb } from '../../process/memory.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

test('the API and the job’s page show its policies, and the page marks the job’s own choices', async t => {
  const { app, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': `${registry}
jobRegistry.register({ id: 'ordinary', cron: '@daily', func: () => {} })
jobRegistry.register({ id: 'own', cron: '@daily', func: () => {}, timeout: '10m', memory: '1g', overlap: 'queue', catchUp: 'all', catchUpWindow: '7d',
  retry: { attempts: 3, delay: '1m' }, onInterrupt: 'rerun', concurrencyKey: 'db', notify: { longRun: '5m' }, params: { n: { type: 'number', default: 1 } } })
`,
    },
  })
  const Cookie = await signIn()
  const get = async (id: string) => {
    const answer = await app.request(`/api/jobs/${id}`, { headers: { Cookie } })
    return { status: answer.status, job: (await answer.json()) as Record<string, unknown> }
  }
  const policies = ({ job }: Awaited<ReturnType<typeof get>>) => ({
    timeout_ms: job.timeout_ms,
    memory_bytes: job.memory_bytes,
    catch_up: job.catch_up,
    catch_up_window_ms: job.catch_up_window_ms,
    overlap: job.overlap,
    retry: job.retry,
    on_interrupt: job.on_interrupt,
    concurrency_key: job.concurrency_key,
    notify: job.notify,
    params: job.params,
  })
  const notify = {
    failures: null,
    long_run_ms: null,
    overdue: true,
    missed: true,
    emails: null,
    webhook: null,
  }
  assert.deepEqual(policies(await get('ordinary')), {
    timeout_ms: 300_000,
    memory_bytes: memoryOfRunsMb(containerMemoryBytes()) * 1024 ** 2,
    catch_up: 'latest',
    catch_up_window_ms: 86_400_000,
    overlap: 'skip',
    retry: null,
    on_interrupt: 'fail',
    concurrency_key: null,
    notify,
    params: null,
  })
  assert.deepEqual(policies(await get('own')), {
    timeout_ms: 600_000,
    memory_bytes: 1024 ** 3,
    catch_up: 'all',
    catch_up_window_ms: 7 * 86_400_000,
    overlap: 'queue',
    retry: { attempts: 3, delay_ms: 60_000, factor: 2, max_delay_ms: 3_600_000, jitter: 0 },
    on_interrupt: 'rerun',
    concurrency_key: 'db',
    notify: { ...notify, long_run_ms: 300_000 },
    params: {
      type: 'object',
      properties: { n: { type: 'number', default: 1 } },
      required: [],
      additionalProperties: false,
    },
  })
  assert.equal((await get('nobody')).status, 404)
  assert.equal((await app.request('/api/jobs/own')).status, 401)

  const page = async (id: string) =>
    (await app.request(`/jobs/${id}`, { headers: { ...browser, Cookie } })).text()
  assert.ok(!(await page('ordinary')).includes('<strong>'), 'the defaults are those of the manifest')
  assert.match(await page('own'), /<strong>All missed due times run, in order, up to 7 days late<\/strong>/)
})

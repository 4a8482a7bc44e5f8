import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '../../../runtime/jobs/contract.ts'
import { policyLines } from './policy-words.ts'

const ordinary: Job = {
  id: 'job',
  cron: '@daily',
  timezone: 'UTC',
  description: '',
  enabled: true,
  source: null,
  nextRunAt: null,
  lastRun: null,
  policies: {
    timeoutMs: 300_000,
    catchUp: 'latest',
    catchUpWindowMs: 86_400_000,
    memory: { bytes: 384 * 1024 ** 2, own: false },
    overlap: 'skip',
    retry: null,
    onInterrupt: 'fail',
    concurrencyKey: null,
  },
  notify: { failures: null, longRun: null, overdue: true, missed: true, emails: null, webhook: null },
  params: null,
  secrets: [],
  missingSecrets: [],
}

/** What stands out, by its label. */
const own = (job: Partial<Job>, policies: Partial<Job['policies']> = {}) =>
  Object.fromEntries(
    policyLines({ ...ordinary, ...job, policies: { ...ordinary.policies, ...policies } }).flatMap(line =>
      line.own ? [[line.label, line.words]] : [],
    ),
  )

test('a job without own policies has no line that stands out', () => {
  assert.deepEqual(own({}), {})
  assert.deepEqual(
    policyLines(ordinary).map(({ words }) => words),
    [
      '5 minutes',
      '384 MiB',
      'Due times are skipped while a run is in progress',
      'The last missed due time runs, up to 1 day late',
      'No retries',
      'Not started again',
      'As set under Settings',
    ],
  )
})

test('each policy of a job is described in words', () => {
  const retry = { attempts: 3, delayMs: 90_000, factor: 2, maxDelayMs: 3_600_000, jitter: 0.1 }
  assert.deepEqual(
    own(
      { secrets: ['A', 'B'], params: { schema: { properties: { name: {}, count: {} } }, plain: true } },
      {
        timeoutMs: 5_400_000,
        memory: { bytes: 1024 ** 3, own: true },
        catchUp: 'none',
        overlap: 'replace',
        retry,
        onInterrupt: 'rerun',
        concurrencyKey: 'db',
      },
    ),
    {
      'Time limit': '1 hour 30 minutes',
      Memory: '1 GiB',
      Overlap: 'A due time cancels the run in progress and starts a new one',
      'After downtime': 'Missed due times are not run',
      'On failure':
        '3 attempts: the second after 1 minute 30 seconds, then 2 times as long each time, at most 1 hour, ± 10 %',
      'When interrupted': 'Starts again, at most three times',
      Concurrency: 'One run at a time of all jobs with the key “db”',
      Parameters: 'name, count',
      Secrets: 'A, B',
    },
  )
})

test('a job’s own notices are described in words', () => {
  const words = (notify: Partial<Job['notify']>) => own({ notify: { ...ordinary.notify, ...notify } }).Notices
  assert.equal(words({ failures: false, longRun: false, overdue: false, missed: false }), 'Off')
  assert.equal(
    words({ failures: 3, longRun: 600_000, emails: ['a@b.de'] }),
    '3 failures in a row; runs longer than 10 minutes; to a@b.de',
  )
  assert.equal(
    words({ missed: false, emails: [], webhook: 'https://hooks.example.com/T/secret' }),
    'None about missed due times; no email; to a webhook at hooks.example.com',
  )
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

const program = join(import.meta.dirname, '..', 'dist', 'runtime.js')
const [library] = globSync('/usr/lib/**/faketime/libfaketimeMT.so.1')
const skip =
  library || process.env.LONGHOUSE_DEMAND_ALL
    ? false
    : 'libfaketime is not installed; get it with: apt-get install faketime'

const manifest = `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'secondly', cron: '* * * * * *', func: () => {} })
jobRegistry.register({ id: 'twice', cron: '*/3 * * * * *', func: ({ run }) => {
  if (run.attempt === 1) throw new Error('again')
}, retry: { attempts: 2, delay: '1s' } })
`
const hour = 3600

test('while the clock is set back and forth, the built program stays healthy, every job keeps running, and no slot runs twice', {
  skip,
}, async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'volume/jobs'), { recursive: true })
  writeFileSync(join(dir, 'volume/jobs/manifest.ts'), manifest)
  const offsetFile = join(dir, 'offset')
  let offset = 0
  const setClock = (seconds: number) => {
    offset = seconds
    writeFileSync(offsetFile, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}`)
  }
  setClock(0)
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env.PATH,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offsetFile,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
      LOG_LEVEL: 'error',
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'correct horse',
      LONGHOUSE_DATA_DIR: join(dir, 'volume'),
      LONGHOUSE_INSTANCE_ID: 'inst_stepped',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const health = () => ask({ port, host: 'localhost', path: '/api/health' })
  await eventually('it is ready', async () => (await health()).status === 200)

  const database = new Database(join(dir, 'volume/longhouse.db'), { readonly: true })
  t.after(() => database.close())
  const rows = <Row>(query: string, ...given: unknown[]) => database.prepare(query).all(...given) as Row[]
  const newest = () => rows<{ seq: number | null }>('select max(seq) as seq from jobs_runs')[0]?.seq ?? 0

  for (const seconds of [0, -60, 0, -2 * hour, 2 * hour, 0]) {
    setClock(seconds)
    const before = newest()
    for (const [job, attempt, enough] of [
      ['secondly', 1, 3],
      ['twice', 2, 1],
    ] as const) {
      const runs = await eventually(`${job} runs on with the clock at ${seconds} s`, () => {
        const found = rows<{ slot: number; startedAt: number }>(
          "select slot, startedAt from jobs_runs where jobId = ? and attempt = ? and seq > ? and status = 'succeeded'",
          ...[job, attempt, before],
        )
        // What was queued before the step may start after it.
        const now = Date.now() + offset * 1000
        const fresh = found.filter(run => Math.abs(now - run.slot) < 50_000)
        return fresh.length >= enough && fresh
      })
      assert.ok(runs.every(run => Math.abs(Date.now() + offset * 1000 - run.startedAt) < 50_000))
    }
    const answer = await health()
    assert.equal(answer.status, 200, answer.text)
  }
  const twice = rows('select jobId, slot from jobs_runs where attempt = 1 group by 1, 2 having count(*) > 1')
  assert.deepEqual(twice, [])
})

/**
 * A large instance comes back: ten thousand jobs, no two with the same schedule and zone, and a hundred thousand runs
 * in history, from the start of the program until it is ready, by the clock and in processor time, beside an instance
 * that has only the starter job.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { eventually } from '../src/testing/eventually.ts'
import { pause, print, start, stop } from './instance.fixture.ts'

const jobs = 10_000
const runs = 100_000
const times = Number(process.argv[2] ?? 5)

const manifest = `import { jobRegistry } from 'longhouse/jobs'
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo']
for (let i = 0; i < ${jobs}; i++) {
  const cron = [i % 60, Math.floor(i / 60) % 24, '*', '*', Math.floor(i / 1440)].join(' ')
  jobRegistry.register({ id: 'job-' + i, cron, timezone: zones[i % 4], func: () => 1 })
}
`

/** Live and committed, so that the next start finds nothing to do. */
async function settled(dir: string): Promise<void> {
  const instance = await start(dir)
  const db = new Database(join(dir, 'longhouse.db'), { readonly: true })
  const commit = db.prepare('select "commit" from jobs_live_sets').pluck()
  await eventually('the first commit', () => commit.get(), { withinMs: 120_000 })
  db.close()
  await stop(instance)
}

function addHistory(dir: string): void {
  const db = new Database(join(dir, 'longhouse.db'))
  const { build, commit } = db.prepare('select build, "commit" from jobs_live_sets').get() as {
    build: string
    commit: string
  }
  const run =
    db.prepare(`insert into jobs_runs (id, jobId, status, "trigger", slot, attempt, "commit", build, params,
    timeoutMs, queuedAt, startedAt, finishedAt, durationMs)
    values (?, ?, 'succeeded', 'schedule', ?, 1, ?, ?, '{}', 300000, ?, ?, ?, 10)`)
  const slot = db.prepare(
    `insert or ignore into jobs_slots (jobId, at, outcome, runId, decidedAt) values (?, ?, 'ran', ?, ?)`,
  )
  db.transaction(() => {
    for (let i = 0; i < runs; i++) {
      const at = Date.now() - (runs - i) * 60_000
      const due = Math.floor(at / 60_000) * 60_000
      const id = `run_${String(i).padStart(20, '0')}`
      run.run(id, `job-${i % jobs}`, due, commit, build, at, at, at)
      slot.run(`job-${i % jobs}`, due, id, at)
    }
  })()
  db.close()
}

/** Nothing is due that was due while the instance was not there, so that every start is the same. */
function upToNow(dir: string): void {
  const db = new Database(join(dir, 'longhouse.db'))
  db.prepare('update jobs_schedules set since = ?').run(Date.now())
  db.prepare("delete from jobs_runs where status in ('queued', 'running')").run()
  db.close()
}

function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measure(name: string, dir: string): Promise<void> {
  const ready: number[] = []
  const processor: number[] = []
  for (let i = 0; i < times; i++) {
    upToNow(dir)
    const instance = await start(dir)
    processor.push(processorMs(instance.child.pid ?? 0))
    ready.push(instance.readyMs)
    await pause(500)
    await stop(instance)
  }
  print(`${name}: start → ready`, ready)
  print(`${name}: processor time until then`, processor)
}

const small = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const large = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
try {
  mkdirSync(join(large, 'jobs'))
  writeFileSync(join(large, 'jobs/manifest.ts'), manifest)
  await settled(small)
  await settled(large)
  addHistory(large)
  await measure('the starter job', small)
  await measure('10,000 jobs', large)
} finally {
  rmSync(small, { recursive: true, force: true })
  rmSync(large, { recursive: true, force: true })
}

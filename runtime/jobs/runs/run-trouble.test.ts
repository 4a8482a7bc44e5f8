import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { createEngine, oneJob, registry, standingClock, startInstance, until } from '../../engine.fixture.ts'
import { openVolume } from '../../open-volume.ts'
import { asWritten } from '../../runner/log-line.ts'
import { createRunLog } from '../../runner/run-log.ts'

/** A folder on a small disk of its own; null where that takes rights that we do not have. */
function smallDisk(t: TestContext, size = '256k'): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-disk-'))
  let mounted = false
  t.after(() => {
    if (mounted) execFileSync('umount', ['-l', dir])
    rmSync(dir, { recursive: true, force: true })
  })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { stdio: 'ignore' })
    mounted = true
  } catch {
    return null
  }
  return dir
}

/** Takes all the room that a disk has. */
function fill(file: string): void {
  for (let piece = 1024 * 1024; piece >= 1; piece = Math.floor(piece / 2)) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(piece))
    } catch {
      // The rest is filled with smaller pieces.
    }
  }
}

/** Makes the database refuse a change, as a full disk would; returns what lets it through again. */
function refuse(dir: string, change: string, when: string): () => void {
  const other = new Database(join(dir, 'longhouse.db'))
  other.exec(
    `create trigger refused before ${change} when ${when} begin select raise(abort, 'database or disk is full'); end`,
  )
  return () => {
    other.exec('drop trigger refused')
    other.close()
  }
}

test('a log keeps every line while the disk is full, and writes them when there is room', t => {
  const disk = smallDisk(t)
  if (!disk) return t.skip('only root can mount a small disk: run the tests as root on Linux')
  const log = createRunLog(join(disk, 'run.log'), systemClock)
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(200 * 1024))
  const piece = (name: string) => Buffer.from(name.repeat(32 * 1024))
  for (const name of ['a', 'b', 'c', 'd']) log.write('out', piece(name))
  const whole = 'a'.repeat(32768) + 'b'.repeat(32768) + 'c'.repeat(32768) + 'd'.repeat(32768)
  assert.equal(asWritten(log.text()), whole)
  assert.equal(log.end(), false, 'it could not be kept')
  assert.equal(asWritten(log.text()), whole, 'and is still there')
  rmSync(join(disk, 'ballast'))
  assert.equal(log.end(), true)
  assert.equal(asWritten(readFileSync(join(disk, 'run.log'), 'utf8')), whole)
})

test('an instance on a full disk keeps running, and decides due slots once there is room', async t => {
  const disk = smallDisk(t, '16m')
  if (!disk) return t.skip('only root can mount a small disk: run the tests as root on Linux')
  mkdirSync(join(disk, 'jobs'))
  const func = "({ log }) => { log('x'.repeat(300_000)) }"
  writeFileSync(join(disk, 'jobs/manifest.ts'), oneJob(func))
  const clock = standingClock(Date.parse('2026-03-10T07:00:00Z'))
  const engine = await createEngine({ volume: openVolume(disk), clock, log: silentLog, heartbeat: false })
  t.after(() => engine.stop())
  await until(() => engine.manifest().commit, 'the first set is live')
  const { id } = engine.run('job', { trigger: 'manual' })
  fill(join(disk, 'ballast'))
  const dueAt = Date.parse('2026-03-10T08:00:00Z')
  clock.at = dueAt
  assert.throws(() => {
    for (let i = 0; i < 100; i++) {
      engine.tick(dueAt + i)
      engine.run('job', { trigger: 'manual' })
    }
  }, /disk is full|disk I\/O/)
  await until(() => engine.log(id).length > 300_000, 'the run that went on has its log')
  rmSync(join(disk, 'ballast'))
  engine.reconcile()
  engine.tick(dueAt + 2000)
  const [slot] = engine.slots('job', { limit: 1 }).slots
  assert.equal(slot?.at, dueAt)
  for (const run of engine.runs({ limit: 200, offset: 0 }).runs) {
    await until(() => {
      engine.reconcile()
      return engine.getRun(run.id)?.finishedAt
    }, 'it ends')
  }
  assert.equal(engine.log(id).length, 300_001)
})

test('a deleted log folder is created again, and the log says what was lost', async t => {
  const { engine, run, ended, dir, path } = await startInstance(t, {
    files: {
      'manifest.ts': `import { existsSync } from 'node:fs'\n${oneJob(
        "async ({ log }) => { log('before'); while (!existsSync('data/go')) await new Promise(d => setTimeout(d, 20)); log('after') }",
      )}`,
      '.gitignore': 'data/\n',
    },
  })
  const { id } = engine.run('job', { trigger: 'manual' })
  await until(() => engine.log(id), 'it runs')
  rmSync(join(dir, 'runs'), { recursive: true })
  writeFileSync(path('data/go'), '')
  assert.equal((await ended(id)).status, 'succeeded')
  assert.match(engine.log(id), /the beginning of this log is gone: its file was removed[^\n]*\nafter\n$/)
  rmSync(join(dir, 'runs'), { recursive: true })
  const next = await run('job')
  assert.equal(engine.log(next.id), 'before\nafter\n')
})

test('a run whose start cannot be recorded fails and does not block its job', async t => {
  const { engine, run, dir } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const allow = refuse(dir, 'update on jobs_runs', "new.status = 'running'")
  const ended = await run('job')
  assert.equal(ended.status, 'failed')
  assert.match(
    ended.error?.message ?? '',
    /the start of the run could not be recorded: database or disk is full/,
  )
  allow()
  assert.equal((await run('job')).status, 'succeeded')
  assert.equal(engine.runs({ status: 'running', limit: 1, offset: 0 }).total, 0)
})

test('a run whose end cannot be recorded is recorded later, and blocks nothing meanwhile', async t => {
  const { engine, run, ended, dir } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}
jobRegistry.register({ id: 'one', cron: '@daily', func: () => console.log('seen') })
jobRegistry.register({ id: 'two', cron: '@daily', func: () => 2 })`,
    },
    runs: { concurrent: 1 },
  })
  const allow = refuse(dir, 'update on jobs_runs', "new.jobId = 'one' and new.finishedAt is not null")
  const { id } = engine.run('one', { trigger: 'manual' })
  assert.equal((await run('two')).result, 2, 'the next run starts')
  assert.equal(engine.getRun(id)?.status, 'running')
  engine.reconcile()
  assert.equal(engine.getRun(id)?.status, 'running', 'still refused')
  allow()
  engine.reconcile()
  const late = await ended(id)
  assert.deepEqual([late.status, engine.log(id)], ['succeeded', 'seen\n'])
})

test('a run that exists only in the table is interrupted', async t => {
  const { engine, run, dir } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const { id } = await run('job')
  const other = new Database(join(dir, 'longhouse.db'))
  other.prepare("update jobs_runs set status = 'running', finishedAt = null where id = ?").run(id)
  other.close()
  engine.reconcile()
  const lost = engine.getRun(id)
  assert.equal(lost?.status, 'interrupted')
  assert.match(lost?.error?.message ?? '', /lost/)
})

test('a run without a jobs folder fails and says that the folder is missing', async t => {
  const { run, path } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  rmSync(path('.').replace(/\/\.$/, ''), { recursive: true })
  const ended = await run('job')
  assert.equal(ended.status, 'failed')
  assert.match(ended.error?.message ?? '', /the jobs folder is not there/)
  assert.equal(existsSync(path('node_modules')), false)
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

/** How often the program is killed; more with `KILLS=200`. */
const kills = Number(process.env.KILLS ?? 20)
/** Decides when: `SEED=…` has it killed at the same moments again. */
const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
const program = join(import.meta.dirname, '..', 'dist', 'runtime.js')

/** Each run says that it began, outside of what the program records, and takes longer than from slot to slot. */
const manifest = `import { appendFileSync } from 'node:fs'
import { jobRegistry } from 'longhouse/jobs'
const begin = async ({ run }) => {
  appendFileSync('data/began', [run.id, run.slot.getTime(), run.attempt].join(' ') + '\\n')
  await new Promise(done => setTimeout(done, 400))
}
jobRegistry.register({ id: 'once', cron: '* * * * * *', func: begin })
jobRegistry.register({ id: 'again', cron: '* * * * * *', func: begin, onInterrupt: 'rerun', overlap: 'queue' })
jobRegistry.register({ id: 'all', cron: '* * * * * *', func: begin, catchUp: 'all', overlap: 'queue' })
`

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function launch(t: TestContext, dir: string) {
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env.PATH,
      LOG_LEVEL: 'error',
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'correct horse',
      LONGHOUSE_DATA_DIR: dir,
      LONGHOUSE_INSTANCE_ID: 'inst_killed',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  return {
    end: async (signal: NodeJS.Signals) => {
      child.kill(signal)
      const [code, by] = (await ended) as [number | null, NodeJS.Signals | null]
      return code ?? by
    },
  }
}

function ask<Row>(dir: string, query: string): Row[] {
  if (!existsSync(join(dir, 'longhouse.db'))) return []
  const db = new Database(join(dir, 'longhouse.db'), { readonly: true })
  try {
    return db.prepare(query).all() as Row[]
  } catch {
    return [] // Its tables are still to be made.
  } finally {
    db.close()
  }
}

test(`a runtime killed ${kills} times at any moment skips no slot, runs none twice, and leaves no process`, async t => {
  t.diagnostic(`seed ${seed}`)
  const random = randomNumbers(seed)
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs/data'), { recursive: true })
  writeFileSync(join(dir, 'jobs/manifest.ts'), manifest)
  writeFileSync(join(dir, 'jobs/.gitignore'), 'data/\n')
  const first = launch(t, dir)
  const interruptible = "select 1 from jobs_runs where status = 'running' and jobId = 'again'"
  await eventually('a run is in progress', () => ask(dir, interruptible).length > 0)
  await first.end('SIGKILL')

  for (let kill = 1; kill < kills; kill++) {
    const going = launch(t, dir)
    await new Promise(done => setTimeout(done, random() * 2500))
    await going.end('SIGKILL')
  }

  const bootAt = Date.now()
  const last = launch(t, dir)
  const started = `select count(*) as runs from jobs_runs where startedAt > ${bootAt}`
  await eventually('it runs again', () => (ask<{ runs: number }>(dir, started)[0]?.runs ?? 0) > 2)
  const stuck = `select id from jobs_runs where status = 'running' and startedAt < ${bootAt}`
  assert.deepEqual(ask(dir, stuck), [], 'nothing of before is said to run')
  assert.equal(await last.end('SIGTERM'), 0)

  assert.deepEqual(ask(dir, "select id from jobs_runs where status = 'running'"), [])
  const began = readFileSync(join(dir, 'jobs/data/began'), 'utf8').trim().split('\n')
  for (const job of ['once', 'again', 'all']) {
    const slots = ask<{ at: number; outcome: string; runId: string | null }>(
      dir,
      `select at, outcome, runId from jobs_slots where jobId = '${job}' order by at`,
    )
    assert.ok(slots.length > 0, `${job}: it has slots`)
    for (const [index, { at }] of slots.entries()) {
      const before = slots[index - 1]?.at ?? at - 1000
      assert.equal(at - before, 1000, `${job}: no slot between ${before} and ${at} is left out`)
    }
    const runs = ask<{ id: string; slot: number; attempt: number; status: string }>(
      dir,
      `select id, slot, attempt, status from jobs_runs where jobId = '${job}' order by seq`,
    )
    const attempts = new Set(runs.map(({ slot, attempt }) => `${slot} ${attempt}`))
    assert.equal(attempts.size, runs.length, `${job}: no slot has two runs`)
    assert.ok(runs.length > 0, `${job}: it has runs`)
    if (job === 'again') {
      assert.ok(
        runs.some(({ status }) => status === 'interrupted'),
        'a run was interrupted',
      )
      assert.ok(
        runs.some(({ attempt }) => attempt > 1),
        'an interrupted run was started again',
      )
    }
    if (job === 'once') assert.ok(runs.every(({ attempt }) => attempt === 1))
    const known = new Set(runs.map(({ id }) => id))
    for (const { outcome, runId, at } of slots) {
      if (outcome === 'ran' || outcome === 'late')
        assert.ok(runId && known.has(runId), `${job}: ${at} has a run`)
      else if (outcome !== 'interrupted') assert.equal(runId, null, `${job}: ${at} was ${outcome}`)
    }
    const mine = began.filter(line => known.has(line.split(' ')[0] ?? ''))
    assert.equal(new Set(mine).size, mine.length, `${job}: no run began twice`)
    const outcomes = Object.entries(Object.groupBy(slots, slot => slot.outcome))
    const words = outcomes.map(([outcome, all]) => `${all?.length} ${outcome}`).join(', ')
    t.diagnostic(`${job}: ${slots.length} slots (${words}), ${runs.length} runs, ${mine.length} began`)
  }
})

test('a runtime stopped while it starts stops in order', async t => {
  const dir = temporaryFolder(t)
  const going = launch(t, dir)
  await eventually('it has opened its volume', () => existsSync(join(dir, 'longhouse.db')))
  assert.equal(await going.end('SIGTERM'), 0)
})

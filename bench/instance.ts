/**
 * One instance without a container: from the start of its program to the first 200 of `/api/health`, on an empty volume
 * and on one that was used before; from the save of a job file until the new set is live and committed; from the
 * request that runs a job to the first line of the job's own code; the memory of an idle one; and the list of jobs of one
 * that has many.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { eventually } from '../src/testing/eventually.ts'
import { pause, print, signIn, start, stop } from './instance.fixture.ts'

const rounds = Number(process.argv[2] ?? 9)

async function boots(): Promise<{ empty: number[]; used: number[] }> {
  const empty: number[] = []
  const used: number[] = []
  for (let i = 0; i < rounds; i++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
    const first = await start(dataDir)
    empty.push(first.readyMs)
    await pause(500)
    await stop(first)
    const second = await start(dataDir)
    used.push(second.readyMs)
    await stop(second)
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { empty, used }
}

async function work(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  const instance = await start(dataDir)
  try {
    const headers = { cookie: await signIn(instance) }
    const ask = async (path: string, method = 'GET') =>
      (await fetch(instance.url + path, { method, headers })).json() as Promise<Record<string, unknown>>
    const commit = async () => ((await ask('/api/jobs')).manifest as { commit: string | null }).commit
    await eventually('the first commit', commit)

    const job = join(dataDir, 'jobs/jobs/daily-digest.ts')
    const live: number[] = []
    for (let i = 0; i <= rounds; i++) {
      const before = await commit()
      const savedAt = performance.now()
      writeFileSync(job, `export const run = () => { console.log(Date.now(), ${i}) }\n`)
      while ((await commit()) === before) await pause(3)
      live.push(performance.now() - savedAt)
      await pause(100)
    }
    print('save of a job file → live, one after the other', live.slice(1))
    print('save of a job file → live, the first', live.slice(0, 1))

    const lines: number[] = []
    for (let i = 0; i <= rounds; i++) {
      const askedAt = Date.now()
      const { id } = await ask('/api/jobs/daily-digest/run', 'POST')
      const log = async () => (await fetch(`${instance.url}/api/runs/${id}/log`, { headers })).text()
      const text = await eventually('the line', log)
      lines.push(Number.parseInt(text, 10) - askedAt)
      await eventually('the end', async () => (await ask(`/api/runs/${id}`)).finished_at)
    }
    print('run asked for → first line of the job', lines.slice(1))

    await pause(15_000)
    const status = readFileSync(`/proc/${instance.child.pid}/status`, 'utf8')
    const mib = (field: string) =>
      Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024)
    console.log(
      `idle for 15 s: ${mib('VmRSS')} MiB resident, of which ${mib('RssAnon')} MiB its own and ${mib('RssFile')} MiB of files`,
    )
  } finally {
    await stop(instance)
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** What the list of jobs costs where there are many of them with a history. */
async function lists(jobs: number, runs: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  const id = (index: number) => `job-${String(index).padStart(5, '0')}`
  mkdirSync(join(dataDir, 'jobs'), { recursive: true })
  writeFileSync(
    join(dataDir, 'jobs/manifest.ts'),
    `import { jobRegistry } from 'longhouse/jobs'
    for (let i = 0; i < ${jobs}; i++) {
      const id = 'job-' + String(i).padStart(5, '0')
      jobRegistry.register({ id, cron: i % 60 + ' ' + i % 24 + ' * * *', func: () => {} })
    }`,
  )
  const first = await start(dataDir)
  await stop(first)
  const sqlite = new Database(join(dataDir, 'longhouse.db'))
  const insert = sqlite.prepare(
    `insert into jobs_runs (id, jobId, status, trigger, attempt, build, params, timeoutMs, queuedAt, finishedAt, durationMs)
     values (?, ?, 'succeeded', 'schedule', 1, '', '{}', 1000, 0, 1, 5)`,
  )
  sqlite.transaction(() => {
    for (let i = 0; i < runs; i++) insert.run(`run_${i}`, id(i % jobs))
  })()
  sqlite.close()

  const instance = await start(dataDir)
  try {
    print(`${jobs} jobs, ${runs} runs: start → ready`, [instance.readyMs])
    const headers = { cookie: await signIn(instance) }
    const name = `${jobs} jobs, ${runs} runs:`
    for (const [what, path, accept] of [
      ['list of jobs as a page', '/', 'text/html'],
      ['one part of it again', '/?offset=100', 'text/html'],
      ['GET /api/jobs', '/api/jobs', 'application/json'],
    ] as const) {
      const times: number[] = []
      let bytes = 0
      for (let i = 0; i < rounds; i++) {
        const askedAt = performance.now()
        bytes = (await (await fetch(instance.url + path, { headers: { ...headers, accept } })).text()).length
        times.push(performance.now() - askedAt)
      }
      print(`${name} ${what}, ${Math.round(bytes / 1024)} KiB`, times)
    }
  } finally {
    await stop(instance)
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const { empty, used } = await boots()
print('start → ready, empty volume', empty)
print('start → ready, used volume', used)
await work()
await lists(1_000, 100_000)
await lists(10_000, 100_000)

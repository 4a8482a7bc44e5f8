/**
 * Runs of an instance without a container: from the request to the first line of the job's own code, with a runner that
 * waits and with none; and isolated runs that do nothing, as many a second as there are. Beside them in the same
 * minutes what the system itself takes for the same: a fork until its first message, and Node from start to end.
 */
import { fork, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../src/testing/eventually.ts'
import { pause, signIn, start, stop } from './instance.fixture.ts'

const rounds = Number(process.argv[2] ?? 60)
const noOps = Number(process.argv[3] ?? 400)
const dir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))

/** The time of day with fractions of a millisecond, in this process and in a job. */
const now = () => performance.timeOrigin + performance.now()

function bareFork(): Promise<number> {
  const file = join(dir, 'hello.mjs')
  writeFileSync(file, 'process.send(1)')
  const startedAt = now()
  const child = fork(file, { execArgv: [] })
  return new Promise(done => {
    child.once('message', () => {
      const took = now() - startedAt
      child.once('exit', () => done(took))
      child.disconnect()
    })
  })
}

function bareNode(): Promise<void> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  return new Promise(done => child.once('exit', () => done()))
}

/** So many a second, `atOnce` at a time. */
async function rate(count: number, atOnce: number, one: () => Promise<unknown>): Promise<number> {
  const startedAt = now()
  let left = count
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return (1000 * count) / (now() - startedAt)
}

mkdirSync(join(dir, 'jobs'))
writeFileSync(
  join(dir, 'jobs/manifest.ts'),
  `import { jobRegistry } from 'longhouse/jobs'
  const at = () => performance.timeOrigin + performance.now()
  jobRegistry.register({ id: 'line', cron: '@yearly', func: () => at() })
  jobRegistry.register({ id: 'nothing', cron: '@yearly', func: () => {} })\n`,
)
const instance = await start(dir)
try {
  const headers = { Cookie: await signIn(instance), Prefer: 'wait=60' }
  const ask = async (path: string, options: RequestInit = {}) =>
    (await fetch(instance.url + path, { ...options, headers })).json() as Promise<{
      status: string
      result: number
      manifest: { commit: string | null }
    }>
  await eventually('the first commit', async () => (await ask('/api/jobs')).manifest.commit)
  const run = async (job: string) => {
    const ended = await ask(`/api/jobs/${job}/run`, { method: 'POST' })
    if (ended.status !== 'succeeded') throw new Error(`a run of ${job} ${ended.status}`)
    return ended
  }
  const firstLine = async () => {
    const askedAt = now()
    return (await run('line')).result - askedAt
  }
  await firstLine()

  const warm: number[] = []
  const cold: number[] = []
  const forks: number[] = []
  for (let i = 0; i < rounds; i++) {
    await pause(250)
    warm.push(await firstLine())
    await pause(250)
    // Of two at once, one finds no runner that waits.
    cold.push(Math.max(...(await Promise.all([firstLine(), firstLine()]))))
    await pause(250)
    forks.push(await bareFork())
  }
  const fork50 = print('anchor: fork() → first message', forks)
  print('run asked for → first line of the job, warm', warm, fork50)
  print('run asked for → first line of the job, cold', cold, fork50)

  const bare = await rate(noOps, 4, bareNode)
  const runs = await rate(noOps, 8, () => run('nothing'))
  console.log(`anchor: node -e 0, start to end, 4 at a time      ${bare.toFixed(1)} a second`)
  console.log(
    `isolated runs that do nothing, 8 at a time        ${runs.toFixed(1)} a second   ×${(runs / bare).toFixed(2)}`,
  )
} finally {
  await stop(instance)
  rmSync(dir, { recursive: true, force: true })
}

/** Returns the median. */
function print(name: string, times: readonly number[], anchor?: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const ratio = anchor === undefined ? '' : `   ×${(at(0.5) / anchor).toFixed(2)} of the anchor`
  const figures = `median ${at(0.5).toFixed(1)} ms   p99 ${at(0.99).toFixed(1)} ms   min ${at(0).toFixed(1)} ms`
  console.log(`${name.padEnd(46)} ${figures}   (${times.length} runs)${ratio}`)
  return at(0.5)
}

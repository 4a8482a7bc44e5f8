import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { ask } from '../src/testing/ask.ts'

const built = join(import.meta.dirname, '../dist/runtime.js')
const password = 'a password for the bench'

export interface Instance {
  child: ChildProcess
  url: string
  readyMs: number
}

/** Starts the built runtime and waits until it is ready. */
export async function start(dataDir: string, program = built): Promise<Instance> {
  const startedAt = performance.now()
  const child = fork(program, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      LOG_LEVEL: 'error',
      LONGHOUSE_INSTANCE_ID: 'inst_bench',
      LONGHOUSE_DATA_DIR: dataDir,
      LONGHOUSE_PASSWORD: password,
      LONGHOUSE_PORT: '0',
    },
  })
  const { port } = await new Promise<{ port: number }>((resolve, reject) => {
    child.once('message', message => resolve(message as { port: number }))
    child.once('exit', code => reject(new Error(`the runtime ended with ${code}`)))
  })
  const url = `http://127.0.0.1:${port}`
  while ((await ask({ port, host: 'localhost', path: '/api/health' })).status !== 200) await pause(2)
  return { child, url, readyMs: performance.now() - startedAt }
}

export async function stop({ child }: Pick<Instance, 'child'>): Promise<void> {
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

export function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

/** The time of day with fractions of a millisecond, in this process and in a job. */
export const now = () => performance.timeOrigin + performance.now()

/** The cookie of a session. */
export async function signIn({ url }: Instance): Promise<string> {
  const body = JSON.stringify({ password })
  const login = await fetch(`${url}/api/auth/password`, { method: 'POST', body })
  return login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

/** What people do with an instance. */
export interface Session extends Instance {
  /** The commit that is live; null when there is none yet, or the last save was refused. */
  commit(): Promise<string | null>
  /** Saves by `write`, and resolves with how long it took until that was live and committed, in milliseconds. */
  save(write: () => void): Promise<number>
  /** Runs a job to its end, and resolves with its result. Throws when it does not succeed. */
  run(job: string): Promise<unknown>
}

/** Starts an instance, and resolves when its jobs are live. */
export async function open(dataDir: string, program?: string): Promise<Session> {
  const instance = await start(dataDir, program)
  const headers = { Cookie: await signIn(instance), Prefer: 'wait=60' }
  const json = async (path: string, method = 'GET') =>
    (await fetch(instance.url + path, { method, headers })).json() as Promise<{
      status: string
      result: unknown
      manifest: { status: string; commit: string | null; errors: unknown[]; waiting_for?: string | null }
    }>
  const commit = async () => (await json('/api/jobs')).manifest.commit
  // Packages may have to be installed.
  const live = async () => {
    const { manifest } = await json('/api/jobs')
    const installing = manifest.waiting_for !== null && manifest.waiting_for !== undefined
    if (manifest.status === 'error' && !installing) throw refused(manifest.errors)
    return manifest.commit
  }
  while (!(await live())) await pause(50)
  return {
    ...instance,
    commit,
    save: async write => {
      const before = await commit()
      const savedAt = performance.now()
      write()
      for (;;) {
        const { manifest } = await json('/api/jobs')
        if (manifest.commit !== before) return performance.now() - savedAt
        if (manifest.status === 'error') throw refused(manifest.errors)
        await pause(3)
      }
    },
    run: async job => {
      const ended = await json(`/api/jobs/${job}/run`, 'POST')
      if (ended.status !== 'succeeded') throw new Error(`a run of ${job} ${JSON.stringify(ended)}`)
      return ended.result
    },
  }
}

const refused = (errors: unknown) => new Error(`the jobs were refused: ${JSON.stringify(errors)}`)

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0

/**
 * Prints the figures of what was measured, with the ratio of the medians to what was measured beside it, and what the
 * median should be at most or at least. Returns the median.
 */
export function print(
  name: string,
  values: readonly number[],
  {
    unit = 'ms',
    beside,
    most,
    least,
  }: { unit?: string; beside?: number; most?: number; least?: number } = {},
): number {
  const sorted = values.toSorted((a, b) => a - b)
  const median = at(sorted, 0.5)
  const figure = (share: number) => {
    const value = at(sorted, share)
    return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`.padStart(9)
  }
  const ratio = beside === undefined ? '' : `   ×${(median / beside).toFixed(2)}`
  const limit = most === undefined ? `at least ${least}` : `at most ${most.toFixed(0)}`
  const target = most === undefined && least === undefined ? '' : `   (${limit} ${unit})`
  console.log(
    `${name.padEnd(52)} min ${figure(0)}  median ${figure(0.5)}  p99 ${figure(0.99)}  of ${values.length}${ratio}${target}`,
  )
  return median
}

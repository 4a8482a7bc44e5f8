import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { ask } from '../src/testing/ask.ts'

const program = join(import.meta.dirname, '../dist/runtime.js')
const password = 'a password for the bench'

export interface Instance {
  child: ChildProcess
  url: string
  readyMs: number
}

/** Starts the built runtime and waits until it is ready. */
export async function start(dataDir: string): Promise<Instance> {
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

export async function stop({ child }: Instance): Promise<void> {
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

export function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

/** The cookie of a session. */
export async function signIn({ url }: Instance): Promise<string> {
  const body = JSON.stringify({ password })
  const login = await fetch(`${url}/api/auth/password`, { method: 'POST', body })
  return login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

export function print(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
  console.log(
    `${name.padEnd(46)} min ${at(0)} ms   median ${at(0.5)} ms   max ${at(1)} ms   (${times.length} runs)`,
  )
}

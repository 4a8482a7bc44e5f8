import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { builtRoot } from '../../src/root.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'

export interface RunningInstance {
  /** Its public address, where it answers. */
  origin: string
  /** Its jobs repo on the disk. */
  jobsDir: string
  /** Asks its API as the signed-in person, and returns the answer's JSON. */
  ask<T>(path: string, body?: object): Promise<T>
  /** Makes an API token. */
  token(scope: 'read' | 'run' | 'write'): Promise<string>
  /** Waits until the live jobs are these. */
  live(...ids: string[]): Promise<void>
}

const password = 'correct horse battery'

/** Starts the built runtime, at an address that other programs of this machine reach. */
export async function runningInstance(t: TestContext): Promise<RunningInstance> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const dir = temporaryFolder(t)
  const child = spawn(process.execPath, [builtRoot('runtime.js')], {
    env: {
      PATH: process.env.PATH,
      LONGHOUSE_PORT: String(port),
      LONGHOUSE_PUBLIC_URL: origin,
      LONGHOUSE_PASSWORD: password,
      LONGHOUSE_DATA_DIR: dir,
      LONGHOUSE_INSTANCE_ID: 'inst_test',
    },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await eventually('the instance is ready', async () => {
    const answer = await fetch(`${origin}/api/health`).catch(() => null)
    return answer?.status === 200
  })
  const signedIn = await fetch(`${origin}/api/auth/password`, {
    method: 'POST',
    body: JSON.stringify({ password }),
  })
  const cookie = signedIn.headers
    .getSetCookie()
    .map(each => each.split(';')[0])
    .join('; ')
  const ask = async <T>(path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${origin}${path}`, {
      headers: { Cookie: cookie },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    assert.ok(answer.ok, `${path}: ${answer.status}`)
    return (await answer.json()) as T
  }
  return {
    origin,
    jobsDir: join(dir, 'jobs'),
    ask,
    token: async scope =>
      (await ask<{ secret: string }>('/api/tokens', { name: `a ${scope} token`, scope })).secret,
    live: async (...ids) => {
      await eventually(`the jobs ${ids.join(', ')} are live`, async () => {
        const { jobs, manifest } = await ask<{ jobs: { id: string }[]; manifest: { commit: string | null } }>(
          '/api/jobs',
        )
        return manifest.commit !== null && jobs.map(({ id }) => id).join() === ids.join()
      })
    },
  }
}

/** Its address has to be known before it starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  assert.ok(typeof address === 'object' && address)
  return address.port
}

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import type { Reply } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'

/** Where instances are reached. */
interface Edge {
  visit(
    subdomain: string,
    path: string,
    options: { method: string; body: string; headers?: Record<string, string> },
  ): Promise<Reply>
}

/** Counts what jobs in containers did at each due time, where no restore of their volumes can undo it. */
export interface Ticks {
  /** Gives an instance a job that reports each of its due times. */
  install(edge: Edge, subdomain: string, password: string): Promise<void>
  /** The due times that ran more than once, in words. */
  doubled(): string[]
}

export async function startTicks(t: TestContext): Promise<Ticks> {
  const seen = new Map<string, number>()
  const server = createServer((request, response) => {
    const what = request.url ?? ''
    seen.set(what, (seen.get(what) ?? 0) + 1)
    response.end()
  }).listen(0)
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return {
    install: async (edge, subdomain, password) => {
      const { NetworkSettings } = await new Docker().getContainer(`longhouse-${subdomain}`).inspect()
      const gateway = Object.values(NetworkSettings.Networks)[0]?.Gateway
      const manifest = `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({
  id: 'tick',
  cron: '*/5 * * * * *',
  catchUp: 'all',
  func: async ({ run }) => {
    await fetch('http://${gateway}:${port}/${subdomain}/' + run.slot?.toISOString())
  },
})
`
      const login = await edge.visit(subdomain, '/api/auth/password', {
        method: 'POST',
        body: JSON.stringify({ password }),
      })
      const Cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
      const change = async (method: string, path: string, body: object) => {
        const options = { method, headers: { Cookie }, body: JSON.stringify(body) }
        // A machine that starts a dozen at once may find one unhealthy for a moment.
        await eventually(`${method} ${path} of ${subdomain}`, async () => {
          const { status, text } = await edge.visit(subdomain, path, options)
          assert.ok(status < 300, `${status} ${text}`)
          return true
        })
      }
      await change('POST', '/api/jobs/repo/init', {})
      await change('PUT', '/api/jobs/repo/files/manifest.ts', { content: manifest })
    },
    doubled: () =>
      [...seen]
        .filter(([, times]) => times > 1)
        .map(([what, times]) => `the due time ${what} ran ${times} times`),
  }
}

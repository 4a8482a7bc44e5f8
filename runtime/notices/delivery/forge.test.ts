import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { findForge, writeStatus } from './forge.ts'

test('the connection is released after any response of a forge, however long', async t => {
  let status = 201
  const server = createServer((asked, answer) => {
    asked.resume()
    answer.writeHead(asked.method === 'POST' ? status : 401, { 'X-GitLab-Meta': '{}' })
    // No one reads all of this, and it does not end.
    answer.write('x'.repeat(1024 * 1024))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', () => done()))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = () => new Promise<number>(done => server.getConnections((_, count) => done(count)))
  const forge = { kind: 'gitlab', api: `http://127.0.0.1:${port}/api/v4`, path: 'acme/jobs' } as const
  const said = { commit: 'c', state: 'success', description: '', context: '', targetUrl: null } as const
  for (let i = 0; i < 5; i++) {
    await writeStatus(forge, 'token', said)
    assert.equal((await findForge(`http://127.0.0.1:${port}/acme/jobs.git`))?.kind, 'gitlab')
  }
  status = 403
  await assert.rejects(writeStatus(forge, 'token', said), /the token may not write commit statuses \(403\)/)
  await eventually('all are closed', async () => (await open()) === 0, { withinMs: 20_000 })
})

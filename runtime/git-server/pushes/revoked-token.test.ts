import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { postJson } from '../../web/web.fixture.ts'
import { startServed } from '../served.fixture.ts'

/** A slow line to the instance: of each push it sends the commands, waits for `meanwhile`, and then sends the pack. */
async function slowLine(t: TestContext, origin: string, meanwhile: () => Promise<void>): Promise<string> {
  const { port } = new URL(origin)
  const server: Server = createServer(async (asked, answer) => {
    const { method, url: path, headers } = asked
    const body = Buffer.concat(await asked.toArray())
    const passed = request({ host: '127.0.0.1', port, method, path, headers }, response => {
      answer.writeHead(response.statusCode ?? 0, response.headers)
      response.pipe(answer)
    })
    const begin = Math.max(0, body.indexOf('PACK'))
    if (begin > 0) {
      passed.write(body.subarray(0, begin))
      await meanwhile()
    }
    passed.end(body.subarray(begin))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a push whose token is revoked while its pack arrives is refused, and one whose token stays is taken', async t => {
  const served = await startServed(t)
  const { origin, instance, app, done, commit, push } = served
  const Cookie = await served.signIn()
  const headers = { Cookie }
  let revokes = false
  const line = await slowLine(t, origin, async () => {
    await eventually('the push arrives', () =>
      readdirSync(join(dirname(instance.path('.')), 'received')).some(name => name.startsWith('push-')),
    )
    if (!revokes) return
    const { tokens } = (await (await app.request('/api/tokens', { headers })).json()) as {
      tokens: { id: string; name: string }[]
    }
    const id = tokens.find(({ name }) => name === 'git write')?.id
    assert.equal((await postJson(app, `/api/tokens/${id}/revoke`, {}, headers)).status, 204)
  })
  await served.clone()
  await done(
    'clone',
    'remote',
    'set-url',
    'origin',
    (await served.url('write')).replace(/127[^/]*/, line.slice(7)),
  )
  await commit('clone', { 'a.txt': 'a' })
  const taken = await push('clone')
  assert.equal(taken.code, 0, taken.text)

  const before = await served.head()
  revokes = true
  await commit('clone', { 'b.txt': 'b' })
  const refused = await push('clone')
  assert.notEqual(refused.code, 0)
  assert.match(refused.text, /The token was revoked or has expired[\s\S]*\(your access has ended\)/)
  assert.equal(await served.head(), before)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { oneJob } from '../engine.fixture.ts'
import { type ServedInstance, startServed } from './served.fixture.ts'

const files = { '.gitignore': 'node_modules/\n', 'manifest.ts': oneJob('async () => 1') }

async function pushRequest(
  { origin, url }: ServedInstance,
  headers: Record<string, string>,
): Promise<ClientRequest> {
  const Authorization = `Bearer ${new URL(await url('write')).password}`
  return request(`${origin}/jobs.git/git-receive-pack`, {
    method: 'POST',
    headers: { Authorization, 'Content-Type': 'application/x-git-receive-pack-request', ...headers },
  })
}

test('a push that asks first whether it may send its body gets the answer to go on', async t => {
  const served = await startServed(t, { files })
  const asking = await pushRequest(served, { Expect: '100-continue', 'Content-Length': '4' })
  asking.flushHeaders()
  await once(asking, 'continue')
  const answered = once(asking, 'response')
  asking.end('0000')
  const [answer] = await answered
  assert.equal(answer.statusCode, 200)
  assert.equal(await text(answer), '')

  await served.clone()
  await served.commit('clone', { 'large.txt': 'x'.repeat(100_000) })
  const pushed = await served.git('clone', '-c', 'http.postBuffer=1024', 'push', 'origin', 'HEAD')
  assert.equal(pushed.code, 0, pushed.text)
})

test('a client that goes away in the middle of its push changes nothing, and keeps no one from pushing', async t => {
  const served = await startServed(t, { files })
  const { head, clone, commit, push } = served
  const before = await head()
  const line = `${before} ${'1'.repeat(40)} refs/heads/main\0report-status side-band-64k`
  const first = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000PACK`
  for (const sent of ['', '00', first]) {
    const leaving = await pushRequest(served, { 'Transfer-Encoding': 'chunked' })
    leaving.on('error', () => {})
    leaving.flushHeaders()
    await once(leaving, 'socket')
    if (sent) await new Promise(done => leaving.write(sent, done))
    leaving.destroy()
  }
  await clone()
  await commit('clone', { 'a.txt': 'a' })
  const pushed = await push('clone')
  assert.equal(pushed.code, 0, pushed.text)
  assert.notEqual(await head(), before)
})

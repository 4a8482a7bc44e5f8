import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEdge } from '../edge.fixture.ts'
import { ask, route, startInstance } from '../wire.fixture.ts'

const own = /^(wait;dur=[\d.]+, )?edge;dur=[\d.]+, upstream;dur=[\d.]+$/

test('an answer says where the time went when that is asked for, beside what the instance says', async t => {
  const instance = await startInstance('inst_a', (request, response) => {
    if (request.url === '/timed') response.setHeader('Server-Timing', 'db;dur=53, app;dur=47.2')
    request.resume().on('end', () => response.end())
  })
  t.after(() => instance.close())
  const timing = async (
    setting: string | undefined,
    asked: boolean,
    options: Parameters<typeof ask>[2] = {},
  ) => {
    const edge = await startEdge(setting === undefined ? {} : { ROUTER_SERVER_TIMING: setting })
    route(edge, 'a', instance)
    const headers: Record<string, string> = asked ? { 'longhouse-timing': '1' } : {}
    const answer = await ask(edge, 'a.localhost', { ...options, headers })
    await edge.stop()
    return answer.headers['server-timing'] as string | undefined
  }
  assert.equal(await timing(undefined, false), undefined)
  assert.match((await timing(undefined, true)) ?? '', own)
  assert.match((await timing('on', false)) ?? '', own)
  assert.equal(await timing('off', true), undefined)
  assert.match((await timing('on', false, { method: 'POST', body: 'x' })) ?? '', own)
  const both = await timing('asked', true, { path: '/timed' })
  assert.match(
    both ?? '',
    /^db;dur=53, app;dur=47.2, (wait;dur=[\d.]+, )?edge;dur=[\d.]+, upstream;dur=[\d.]+$/,
  )
  assert.equal(await timing('off', true, { path: '/timed' }), 'db;dur=53, app;dur=47.2')
  await assert.rejects(
    startEdge({ ROUTER_SERVER_TIMING: 'yes' }),
    /ROUTER_SERVER_TIMING: must be off, asked or on/,
  )
})

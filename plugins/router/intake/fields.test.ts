import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, type Instance, route, startInstance, wire } from '../wire.fixture.ts'

let edge: Edge
let instance: Instance
before(async () => {
  edge = await startEdge()
  instance = await startInstance('inst_a', (request, response) => {
    request.resume().on('end', () => response.end(`saw ${request.url}`))
  })
  route(edge, 'a', instance)
})
after(async () => {
  await edge.stop()
  await instance.close()
})

test('many fields are refused in words, and what stands behind them means nothing to the instance', async () => {
  for (const count of [200, 990, 1500]) {
    const many = 'a:\r\n'.repeat(count)
    const line = wire(
      edge,
      `POST /first HTTP/1.1\r\nHost: a.localhost\r\n${many}Content-Length: 40\r\n\r\n${'x'.repeat(40)}`,
    )
    assert.match(await line.ended(), /^HTTP\/1\.1 431 [\s\S]*head-too-large[\s\S]*200/)
    for (let i = 0; i < 3; i++)
      assert.equal((await ask(edge, 'a.localhost', { path: `/next${i}` })).body, `saw /next${i}`)
  }
  assert.ok(instance.asked.every(({ url }) => url?.startsWith('/next')))
})

test('one field that is too long is named, and an address that is too long has an answer of its own', async () => {
  const long = await ask(edge, 'a.localhost', {
    headers: { 'X-Diary': 'x'.repeat(15_000), 'X-Other': 'y'.repeat(2000) },
  })
  assert.equal(long.status, 431)
  assert.match(JSON.parse(long.body).detail, /15\.5 KiB[^.]*\..*X-Diary, has 15 KiB/)
  const address = await ask(edge, 'a.localhost', { path: `/${'x'.repeat(16_000)}` })
  assert.equal(address.status, 414)
  assert.equal(JSON.parse(address.body).type, 'urn:longhouse:problem:address-too-long')
})

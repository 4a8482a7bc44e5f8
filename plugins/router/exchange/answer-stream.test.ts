import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startEdge } from '../edge.fixture.ts'
import { Block } from '../upstream/blocks.ts'
import { eventually, route, startInstance, type Wire, wire } from '../wire.fixture.ts'

async function startPair(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const edge = await startEdge()
  const instance = await startInstance('inst_a', handle)
  route(edge, 'a', instance)
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  return edge
}

/** How many blocks are to be had now. */
function available(): number {
  const blocks: Block[] = []
  for (let block = Block.take(); block; block = Block.take()) blocks.push(block)
  for (const block of blocks) block.release()
  return blocks.length
}

const body = randomBytes(5_000_000)
const get = 'GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n'

test('large answers arrive byte for byte, with and without a length, on one connection', async t => {
  const edge = await startPair(t, (asked, response) => {
    const headers = asked.url === '/length' ? { 'Content-Length': body.length } : {}
    response.writeHead(200, headers)
    // In pieces of all sizes, so that reads end anywhere in them.
    for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 300_007)
      response.write(body.subarray(at, at + size))
    response.end()
  })
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  await Promise.all(
    ['/length', '/chunked', '/length', '/chunked'].map(async path => {
      const outgoing = request({ port: edge.port, path, headers: { host: 'a.localhost' } }).end()
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      assert.equal(digest(await buffer(answer)), digest(body), path)
    }),
  )
})

test('a block is free again when its answer was sent, and when its client went away', async t => {
  const edge = await startPair(t, (_, response) => {
    response.writeHead(200, { 'Content-Length': body.length }).end(body)
  })
  const before = available()
  const clients: Wire[] = []
  for (let i = 0; i < 20; i++) {
    const client = wire(edge, get)
    await client.until(/\r\n\r\n/)
    client.socket.pause()
    clients.push(client)
  }
  assert.ok(available() < before, 'slow clients hold blocks')
  for (const client of clients) client.socket.destroy()
  await eventually(() => available() === before)
})

test('answers that wait behind another on their connection free their blocks when the client goes away', async t => {
  const edge = await startPair(t, (asked, response) => {
    if (asked.url === '/first') return
    response.writeHead(200, { 'Content-Length': body.length }).end(body)
  })
  const before = available()
  const client = wire(edge, get.replace(' / ', ' /first ') + get)
  await eventually(() => available() < before)
  client.socket.destroy()
  await eventually(() => available() === before)
})

test('without a free block, a large answer is passed on all the same', async t => {
  const edge = await startPair(t, (_, response) => void response.end(body))
  const blocks: Block[] = []
  for (let block = Block.take(); block; block = Block.take()) blocks.push(block)
  t.after(() => {
    for (const block of blocks) block.release()
  })
  const outgoing = request({ port: edge.port, headers: { host: 'a.localhost' } }).end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.ok(body.equals(await buffer(answer)))
})

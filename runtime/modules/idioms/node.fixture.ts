import { type Idioms, module } from './repo.fixture.ts'

/** What Node brings along. */
export const ofNode: Idioms = {
  'node:test in a job': {
    'package.json': module,
    'jobs/job.ts': `import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
export async function run() {
  const called = mock.fn((x: number) => x + 1)
  await test('adds', () => assert.equal(called(1), 2))
  return called.mock.callCount()
}`,
  },
  'an own HTTP server, and fetch': {
    'package.json': module,
    'jobs/job.ts': `import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
export async function run() {
  const server = createServer((request, response) => {
    response.setHeader('content-encoding', 'gzip').end(gzipSync('you asked for ' + request.url))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = await fetch('http://127.0.0.1:' + (server.address() as AddressInfo).port + '/a?b=1')
  const text = await answer.text()
  await new Promise(resolve => server.close(resolve).closeAllConnections())
  return [answer.status, text]
}`,
  },
  'time zones, languages and context across await': {
    'package.json': module,
    'jobs/job.ts': `import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
const context = new AsyncLocalStorage<string>()
export async function run() {
  const at = new Date(Date.UTC(2026, 2, 29, 1, 30))
  const local = ['Europe/Berlin', 'Asia/Tokyo', 'America/St_Johns'].map(timeZone => at.toLocaleString('de-DE', { timeZone }))
  const price = new Intl.NumberFormat('fr-FR', { style: 'currency', currency: 'EUR' }).format(1234.5)
  const kept = await context.run('kept', async () => { await setTimeout(1); return context.getStore() })
  return [local, price, kept, ['ä', 'z', 'a'].sort(new Intl.Collator('de').compare)]
}`,
  },
  'streams of the web, compression, and crypto': {
    'package.json': module,
    'jobs/job.ts': `import { createHash, randomUUID } from 'node:crypto'
export async function run() {
  const packed = new Blob(['hello '.repeat(100)]).stream().pipeThrough(new CompressionStream('gzip'))
  const text = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).text()
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'))
  return [text.length, Buffer.from(digest).toString('hex') === createHash('sha256').update('x').digest('hex'), randomUUID().length, structuredClone(new Map([[1, 2]])).get(1)]
}`,
  },
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { eventually } from '../../src/testing/eventually.ts'

interface Received {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** A server that takes what is posted to it. */
export async function startReceiver(t: Pick<TestContext, 'after'>) {
  const received: Received[] = []
  const receiver = {
    received,
    status: 200,
    url: '',
    /** Resolves when so many requests have come; the program sends them in its own time. */
    has: (count: number) => eventually(`${count} requests`, () => received.length === count),
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body })
      response.writeHead(receiver.status).end()
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}

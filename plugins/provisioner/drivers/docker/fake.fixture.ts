import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../../../../src/testing/folder.ts'

/** The bytes that go out for a request such as `GET /_ping`; null leaves it without an answer. */
export type Answering = (request: string, query: URLSearchParams) => string | null

/** A whole answer, as an engine would write it. */
export function says(status: number, body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return raw(status, text, Buffer.byteLength(text))
}

/** An answer that ends before it has said what it announced. */
export function cutOff(status: number, text: string): string {
  return raw(status, text, Buffer.byteLength(text) + 100)
}

function raw(status: number, text: string, length: number): string {
  const head = [`HTTP/1.1 ${status} Odd`, 'Content-Type: application/json', `Content-Length: ${length}`]
  return `${head.join('\r\n')}\r\nConnection: close\r\n\r\n${status === 204 || status === 304 ? '' : text}`
}

/** A socket that is no engine: it answers each request with the bytes that `answering.now` makes up. */
export async function fakeEngine(t: Pick<TestContext, 'after'>, now: Answering) {
  const socketPath = join(temporaryFolder(t), 'docker.sock')
  const sockets = new Set<Socket>()
  const engine = { socketPath, now, asked: [] as string[] }
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString()
      const [method, target] = text.split('\r\n', 1)[0]?.split(' ') ?? []
      if (!text.includes('\r\n\r\n') || !method || !target) return
      const { pathname, searchParams } = new URL(target, 'http://docker')
      text = ''
      engine.asked.push(`${method} ${pathname}`)
      const answer = engine.now(`${method} ${pathname}`, searchParams)
      if (answer !== null) socket.end(answer)
    })
  })
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return engine
}

export const noSuchContainer = (name: string) => says(404, { message: `No such container: ${name}` })

/** One container of an instance, as the engine lists it. */
export function listed(ref: { id: string; subdomain: string }, change: Record<string, unknown> = {}) {
  return {
    Id: 'c'.repeat(64),
    Names: [`/longhouse-${ref.subdomain}`],
    ImageID: 'sha256:1',
    State: 'running',
    Labels: { 'longhouse.instance': ref.id },
    Ports: [{ IP: '127.0.0.1', PrivatePort: 8080, PublicPort: 49153, Type: 'tcp' }],
    NetworkSettings: { Networks: {} },
    Mounts: [],
    ...change,
  }
}

import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { listening } from './listening'

export interface Asked {
  method: string
  path: string
  body: string
  headers: IncomingMessage['headers']
}

export interface Answer {
  status?: number
  type?: string
  headers?: Record<string, string>
  body: string
}

/** A server on loopback that gives prepared answers and records what it was asked. */
export async function startHttp(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const each = { method, path: url, body: await text(request), headers }
    asked.push(each)
    const { status = 200, type = 'application/json', headers: more = {}, body } = answer(each)
    response.writeHead(status, { 'content-type': type, ...more }).end(body)
  })
  const port = await listening(server)
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, port, asked, stop }
}

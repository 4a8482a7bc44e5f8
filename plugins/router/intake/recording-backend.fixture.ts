import { createServer, type Socket } from 'node:net'
import { listening } from '../wire.fixture.ts'
import { type ReadRequest, readRequests } from './request-reader.fixture.ts'

export interface Recorded extends ReadRequest {
  /** What the answer to it names, so that it can be found. */
  token: string
}

/** An instance that reads what it is sent by a strict reader of its own, and answers each request with a token. */
export interface RecordingBackend {
  id: string
  port: number
  /** The whole requests that came, oldest first. */
  asked: Recorded[]
  /** Bytes that were no request. */
  faults: string[]
  close(): Promise<void>
}

export async function startRecording(id: string): Promise<RecordingBackend> {
  const asked: Recorded[] = []
  const faults: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    let unread = ''
    socket.setEncoding('latin1').on('data', text => {
      unread += text
      const { requests, rest, length } = readRequests(unread)
      // Nothing may follow a request that offers another protocol before it is accepted.
      if (rest === 'malformed' || (rest === 'over' && length < unread.length)) faults.push(unread)
      unread = unread.slice(length)
      for (const request of requests) answer(socket, request)
    })
  })
  const answer = (socket: Socket, request: ReadRequest) => {
    const isQuestion =
      request.method === 'HEAD' && !request.headers.some(([name]) => name === 'longhouse-instance')
    const token = `${id}-${asked.length}`
    if (!isQuestion) asked.push({ ...request, token })
    const length = isQuestion ? '' : `Token: ${token}\r\nContent-Length: 0\r\n`
    socket.write(
      `HTTP/1.1 ${isQuestion ? '204 No Content' : '200 OK'}\r\nLonghouse-Instance: ${id}\r\n${length}\r\n`,
    )
  }
  return {
    id,
    port: await listening(server),
    asked,
    faults,
    close: async () => {
      const done = new Promise(resolve => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await done
    },
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'

/** True when the head announces a body. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/**
 * Drops the connection when nothing moves on it for `stallMs` before the request's body has come in whole. An upload
 * may take hours as long as it goes on; somebody who only holds the connection open does not get to keep it.
 */
export function limitStall(request: IncomingMessage, response: ServerResponse, stallMs = 60_000): void {
  const { socket } = request
  socket.setTimeout(stallMs)
  request.once('end', () => {
    // After the answer the server has set its own limit for the idle connection.
    if (!response.writableFinished) socket.setTimeout(0)
  })
}

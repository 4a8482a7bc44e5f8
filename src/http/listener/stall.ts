import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Problem, tooSlow } from '../problem.ts'
import { refuseRaw } from './raw-refusal.ts'

/** Bytes a second: the slowest mobile connections are several times faster. */
export const defaultBodyRate = 500

export interface StallLimits {
  /** The minimum rate of a body in each window, in bytes a second; 0 for none. */
  bodyRate: number
  /** Headers that every response of the program has. */
  named?: Readonly<Record<string, string>>
  /** How long the connection may be silent. */
  stallMs?: number
  windowMs?: number
  /** Answers a body that is too slow; without it, the answer is written on the connection. */
  refuse?(problem: Problem): void
}

/**
 * True if the headers announce a body. `Content-Length: 0`, which `fetch` sends with every POST without a body, does
 * not: such a body is never read, so its end is never seen.
 */
export function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
}

/**
 * Ends a request whose body does not arrive: when its connection is silent for `stallMs`, or when half a minute
 * brings less than the minimum rate. An upload may take hours while it makes progress, and time in which we do not
 * read does not count. A client that only holds the connection open is disconnected.
 */
export function limitStall(request: IncomingMessage, response: ServerResponse, limits: StallLimits): void {
  const { bodyRate, named = {}, stallMs = 60_000, windowMs = 30_000 } = limits
  const { socket } = request
  socket.setTimeout(stallMs)
  let before = socket.bytesRead
  const look = () => {
    const came = socket.bytesRead - before
    before = socket.bytesRead
    // Data that we have not read yet says nothing about the client.
    const waitsForUs = request.complete || socket.isPaused() || request.readableLength > 0
    if (waitsForUs || (came * 1000) / windowMs >= bodyRate) return
    clearInterval(timer)
    const problem = tooSlow(`The body came at less than ${bodyRate} bytes a second.`)
    if (response.headersSent) socket.destroy()
    else if (limits.refuse) limits.refuse(problem)
    else refuseRaw(socket, problem, { named })
  }
  const timer = bodyRate > 0 ? setInterval(look, windowMs) : undefined
  response.once('close', () => clearInterval(timer))
  request.once('end', () => {
    clearInterval(timer)
    // After the response the server sets its own limit for the idle connection.
    if (!response.writableFinished) socket.setTimeout(0)
  })
}

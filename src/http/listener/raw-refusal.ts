import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Problem } from '../problem.ts'

/**
 * Sends a refusal on a connection whose data never became a request, and closes it. `named` are headers that every
 * response of the program has. Browsers get a `page` instead of JSON.
 */
export function refuseRaw(
  socket: Duplex,
  problem: Problem,
  { named = {}, page }: { named?: Readonly<Record<string, string>>; page?: string } = {},
): void {
  const { headers, body } = refusalParts(problem, { named, page })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`
  socket.end(`${status}${lines.join('')}\r\n${body}`, () => socket.destroy())
}

/** Headers and body of a response that closes the connection. */
export function refusalParts(
  problem: Problem,
  { named = {}, page }: { named?: Readonly<Record<string, string>>; page?: string | undefined } = {},
): { headers: Record<string, string>; body: string } {
  const body = page ?? JSON.stringify(problem.document())
  return {
    body,
    headers: {
      ...named,
      'Content-Type': page === undefined ? 'application/problem+json' : 'text/html; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      Connection: 'close',
      ...problem.headers,
    },
  }
}

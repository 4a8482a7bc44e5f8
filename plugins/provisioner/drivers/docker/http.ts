import { type Agent, type IncomingMessage, request } from 'node:http'

export interface EngineRequest {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  query?: Readonly<Record<string, string | number | boolean>>
  body?: unknown
}

export interface RawAnswer {
  status: number
  body: Buffer
}

/** The connection ended before the answer did: what came of it says nothing. */
export class CutOff extends Error {
  constructor() {
    super('its answer was cut off in the middle')
    this.name = 'CutOff'
  }
}

/**
 * One HTTP exchange on a local socket. Resolves only with a whole answer; rejects at once when the connection fails, is
 * cut off in the middle of the body, or `signal` aborts. `onData` receives the body of a 2xx answer as it comes.
 */
export function exchange(
  to: { socketPath: string; agent: Agent },
  { method, path, query, body }: EngineRequest,
  signal: AbortSignal,
  onData?: (chunk: Buffer) => void,
): Promise<RawAnswer> {
  const payload = body === undefined ? null : Buffer.from(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const sent = request({
      ...to,
      method,
      path: query ? `${path}?${new URLSearchParams(textOf(query))}` : path,
      headers: {
        Host: 'docker',
        ...(payload && { 'Content-Type': 'application/json', 'Content-Length': payload.length }),
      },
      signal,
    })
    sent.on('error', reject)
    sent.on('response', answer => {
      const status = answer.statusCode ?? 0
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => {
        if (onData && status >= 200 && status < 300) onData(chunk)
        else chunks.push(chunk)
      })
      answer.on('error', error => reject(signal.aborted ? error : new CutOff()))
      answer.on('close', () => {
        if (answer.complete) resolve({ status, body: Buffer.concat(chunks) })
        else reject(new CutOff())
      })
    })
    sent.end(payload ?? undefined)
  })
}

/** Begins an exchange and resolves with the answer once its head is there. The body is read as it is asked for. */
export function openAnswer(
  socketPath: string,
  { method, path, query }: EngineRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      method,
      path: query ? `${path}?${new URLSearchParams(textOf(query))}` : path,
      headers: { Host: 'docker' },
      // It may stay open for hours: not one of those that are shared.
      agent: false,
      signal,
    })
    sent.on('error', reject)
    sent.on('response', resolve)
    sent.end()
  })
}

function textOf(query: NonNullable<EngineRequest['query']>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]))
}

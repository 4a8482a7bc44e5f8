import { type IncomingHttpHeaders, request } from 'node:http'

export interface Question {
  port: number
  /** The host in the request; it is not resolved, because tests have no `*.localhost`. */
  host: string
  method?: string
  path?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** Parses the body as JSON; throws if it is none. */
  json<T>(): T
}

/** Sends one request to a port of this machine, on its own connection. */
export function ask({
  port,
  host,
  method = 'GET',
  path = '/',
  headers = {},
  body,
}: Question): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { Host: host, ...headers } },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', chunk => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, text, json: () => JSON.parse(text) })
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

import { request } from 'node:http'

export interface Exchanged {
  status: number
  body: Buffer
  type: string | undefined
}

/** One request to the control plane, with bytes in both directions. */
export function exchange(
  port: number,
  {
    method = 'GET',
    path,
    headers = {},
    body,
  }: { method?: string; path: string; headers?: Record<string, string>; body?: Buffer },
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const host = `control.localhost:${port}`
    const asked = request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { Host: host, ...headers } },
      async answer => {
        const bytes = Buffer.concat(await answer.toArray())
        resolve({ status: answer.statusCode ?? 0, body: bytes, type: answer.headers['content-type'] })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

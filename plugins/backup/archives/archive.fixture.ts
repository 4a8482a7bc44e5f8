import { request } from 'node:http'
import type { openTown } from '../../owners/owners.fixture.ts'

type Town = Awaited<ReturnType<typeof openTown>>

/** An owner whose instance `acme` runs; `headers` sign a request in as them. */
export async function ownerOfAcme(town: Town) {
  const owner = await town.owner('ada')
  await owner.call('POST', '/instances', { subdomain: 'acme' })
  await town.reaches(owner, 'acme', 'running')
  const headers = {
    Cookie: [...owner.cookies].map(pair => pair.join('=')).join('; '),
    Origin: `http://control.localhost:${town.port}`,
  }
  return { owner, headers, path: '/instances/acme/archive' }
}

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

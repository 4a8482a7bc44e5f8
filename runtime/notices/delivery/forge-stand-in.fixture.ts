import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { GitServer } from '../../sync/git-server.fixture.ts'

export interface ForgeStandIn {
  /** Of a repository, at an address that has an owner as GitHub's and GitLab's have. */
  url: string
  origin: string
  kind: 'github' | 'gitlab' | 'other'
  calls: { method: string; path: string; headers: IncomingHttpHeaders; body: Record<string, unknown> }[]
  /** What a status is answered with. */
  status: number
  answerHeaders: Record<string, string>
}

/** Stands for GitHub Enterprise Server or GitLab: their API, and git from the server behind it. */
export async function startForge(t: TestContext, git: GitServer): Promise<ForgeStandIn> {
  const forge: ForgeStandIn = {
    url: '',
    origin: '',
    kind: 'github',
    calls: [],
    status: 201,
    answerHeaders: {},
  }
  const server = createServer((asked, answer) => {
    const { method = '', url: path = '', headers } = asked
    if (!path.startsWith('/api/')) {
      const to = new URL(path.replace('/acme/jobs.git', '/jobs.git'), git.url)
      const asking = forward(to, { method, headers }, given => {
        answer.writeHead(given.statusCode ?? 502, given.headers)
        given.pipe(answer)
      })
      asking.on('error', () => answer.destroy())
      asked.pipe(asking)
      return
    }
    let text = ''
    asked.setEncoding('utf8').on('data', piece => {
      text += piece
    })
    asked.on('end', () => {
      forge.calls.push({ method, path, headers, body: text === '' ? {} : JSON.parse(text) })
      const own = {
        github: ['/api/v3/', 'x-github-request-id'],
        gitlab: ['/api/v4/', 'x-gitlab-meta'],
      } as const
      const [prefix, header] = forge.kind === 'other' ? ['/none', 'x-none'] : own[forge.kind]
      if (!path.startsWith(prefix)) return void answer.writeHead(404).end()
      const isStatus = method === 'POST'
      const code = isStatus ? forge.status : 401
      answer.writeHead(code, { 'Content-Type': 'application/json', [header]: '1', ...forge.answerHeaders })
      answer.end(JSON.stringify({ message: isStatus ? 'as it is' : '401 Unauthorized' }))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', () => done()))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  forge.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  forge.url = `${forge.origin}/acme/jobs.git`
  return forge
}

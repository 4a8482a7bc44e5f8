import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'

/** Git's own server, and what other people do to its repository with a git of their own. */
export interface GitServer {
  url: string
  token: string
  /** What it does with the next requests; null is what it should. */
  ill: 'down' | 'slow' | 'garbage' | 'moved' | 'cut' | 'short' | '500' | null
  /** Answers reads only. */
  readOnly: boolean
  /** The requests so far, one line each. */
  asked: string[]
  /** Runs git in the bare repository. */
  git(...args: string[]): string
  /** Changes files in another clone, and pushes them as a commit. */
  edit(files: Record<string, string | Buffer | null>, options?: { message?: string; force?: boolean }): string
  /** Commits what only git itself can do. Submodules are given by path and commit. */
  commit(change: {
    files?: Record<string, string>
    executable?: readonly string[]
    submodules?: Record<string, string>
  }): string
  /** A file of the remote's branch. */
  read(file: string, branch?: string): string
  head(branch?: string): string
}

export async function startGitServer(t: TestContext): Promise<GitServer> {
  const dir = temporaryFolder(t)
  const bare = join(dir, 'jobs.git')
  const clone = join(dir, 'clone')
  const home = { HOME: dir, GIT_CONFIG_NOSYSTEM: '1', PATH: process.env.PATH ?? '' }
  const gitIn = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Bob', '-c', 'user.email=bob@example.com', ...args], {
      cwd,
      encoding: 'utf8',
      env: home,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { env: home })
  gitIn(bare, 'config', 'http.receivepack', 'true')

  const server: GitServer = {
    url: '',
    token: 'the-token-of-this-test',
    ill: null,
    readOnly: false,
    asked: [],
    git: (...args) => gitIn(bare, ...args),
    edit: (files, { message = 'Edit elsewhere', force = false } = {}) => {
      rmSync(clone, { recursive: true, force: true })
      execFileSync('git', ['clone', '--quiet', bare, clone], { env: home, stdio: 'ignore' })
      for (const [file, content] of Object.entries(files)) {
        if (content === null) rmSync(join(clone, file), { recursive: true })
        else {
          mkdirSync(dirname(join(clone, file)), { recursive: true })
          writeFileSync(join(clone, file), content)
        }
      }
      gitIn(clone, 'add', '--all')
      gitIn(clone, 'commit', '--quiet', '--message', message, ...(force ? ['--amend'] : []))
      gitIn(clone, 'push', '--quiet', ...(force ? ['--force'] : []), 'origin', 'HEAD:main')
      return gitIn(clone, 'rev-parse', 'HEAD')
    },
    commit: ({ files = {}, executable = [], submodules = {} }) => {
      rmSync(clone, { recursive: true, force: true })
      execFileSync('git', ['clone', '--quiet', bare, clone], { env: home, stdio: 'ignore' })
      for (const [file, content] of Object.entries(files)) {
        mkdirSync(dirname(join(clone, file)), { recursive: true })
        writeFileSync(join(clone, file), content)
      }
      if (Object.keys(files).length > 0) gitIn(clone, 'add', '--force', ...Object.keys(files))
      for (const file of executable) gitIn(clone, 'update-index', '--chmod=+x', file)
      for (const [path, commit] of Object.entries(submodules)) {
        gitIn(clone, 'update-index', '--add', '--cacheinfo', `160000,${commit},${path}`)
      }
      gitIn(clone, 'commit', '--quiet', '--message', 'With a git of their own')
      gitIn(clone, 'push', '--quiet', 'origin', 'HEAD:main')
      return gitIn(clone, 'rev-parse', 'HEAD')
    },
    read: (file, branch = 'main') => gitIn(bare, 'show', `${branch}:${file}`),
    head: (branch = 'main') => gitIn(bare, 'rev-parse', `refs/heads/${branch}`),
  }
  const listener = createServer((request, response) => answer(server, dir, request, response))
  await new Promise<void>(done => listener.listen(0, '127.0.0.1', done))
  server.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jobs.git`
  t.after(() => {
    listener.close()
    listener.closeAllConnections()
  })
  return server
}

function answer(server: GitServer, root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  server.asked.push(`${request.method} ${request.url}`)
  if (server.ill === 'down') return void request.socket.destroy()
  if (server.ill === 'slow') return
  if (server.ill === '500') return void response.writeHead(503).end('tired')
  if (server.ill === 'garbage') return void response.writeHead(200).end('<html>please sign in</html>')
  if (server.ill === 'moved') {
    return void response.writeHead(301, { Location: `https://elsewhere.example.com${request.url}` }).end()
  }
  const wanted = `:${server.token}`
  const given = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
  if (!given.endsWith(wanted)) {
    return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
  }
  if (server.readOnly && request.url?.includes('receive-pack')) return void response.writeHead(403).end()

  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      HOME: root,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: request.headers['content-length'] ?? '',
      REMOTE_USER: 'bob',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  request.pipe(backend.stdin).on('error', () => {})
  let head = Buffer.alloc(0)
  let sent = false
  backend.stdout.on('data', (chunk: Buffer) => {
    if (sent) return void (server.ill === 'short' || response.write(chunk))
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    sent = true
    const fields = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map(line => line.split(': ') as [string, string])
    const status = fields.find(([name]) => name === 'Status')?.[1]
    for (const [name, value] of fields) if (name !== 'Status') response.setHeader(name, value)
    response.writeHead(status ? Number.parseInt(status, 10) : 200)
    const body = head.subarray(end + 4)
    if (server.ill === 'cut') {
      response.write(body.subarray(0, body.length / 2))
      setImmediate(() => response.destroy())
      return
    }
    if (server.ill === 'short') return void response.end(body.subarray(0, body.length / 2))
    response.write(body)
  })
  backend.stdout.on('end', () => response.end())
}

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type EngineOptions, registry, startInstance, type TestInstance } from '../engine.fixture.ts'
import type { RepoStatus } from '../repo/contract.ts'
import { type GitServer, startGitServer } from './git-server.fixture.ts'

export interface SyncedInstance extends TestInstance {
  server: GitServer
  remote(): Promise<RepoStatus['remote']>
  /** A file of the jobs repo, or null. */
  read(file: string): string | null
  head(): string
  sync(): Promise<RepoStatus['remote']>
  git(...args: string[]): string
}

/** A manifest with this many jobs, called `job-1` and so on. */
export function manyJobs(count: number, comment = ''): string {
  const jobs = Array.from(
    { length: count },
    (_, i) => `jobRegistry.register({ id: 'job-${i + 1}', cron: '0 8 * * *', func: () => ${i + 1} })\n`,
  )
  return `${registry}${jobs.join('')}${comment}`
}

/** An instance whose repo is connected to a server of its own, both sides at the same commit. */
export async function startSynced(
  t: TestContext,
  files: Record<string, string> = {
    '.gitignore': 'node_modules/\n',
    'manifest.ts': manyJobs(4),
    'notes.txt': 'a\nb\nc\nd\ne\n',
  },
  options: Partial<EngineOptions> = {},
): Promise<SyncedInstance> {
  const server = await startGitServer(t)
  const instance = await startInstance(t, { files, ...options })
  const { path } = instance
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: path('.'),
      encoding: 'utf8',
      // A look takes no lock, which the instance would have to wait for.
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  const remote = async () => (await instance.engine.repo()).remote
  await connect(instance, server)
  return Object.assign(instance, {
    server,
    git,
    remote,
    read: (file: string) => (existsSync(path(file)) ? readFileSync(path(file), 'utf8') : null),
    head: () => git('rev-parse', 'HEAD'),
    sync: async () => {
      await instance.engine.sync.sync()
      return remote()
    },
  })
}

export function connect(instance: TestInstance, server: GitServer): Promise<string> {
  const { url, token } = server
  return instance.engine.sync.connect({ url, token, username: 'bob', branch: 'main', localBranch: 'main' })
}

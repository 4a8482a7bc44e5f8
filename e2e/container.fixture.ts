import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import type { Run } from '../runtime/jobs/contract.ts'
import type { Reply } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { type CallOptions, drivers, startLonghouse } from './longhouse.fixture.ts'

/** Why nothing can be run in a container here; false where it can. */
export const noContainers: string | false = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false

/** What a run came to, in the words of both the instance's own objects and its API. */
export type EndedRun = Pick<Run, 'status' | 'result' | 'error'>

export interface RepoJson {
  head: { commit: string } | null
  remote: { error: string | null }
}

export interface ManifestJson {
  status: string
  commit: string | null
  waiting_for: string | null
  errors: { file: string; line: number; message: string }[]
}

/** An instance in a container of its own, made by the built control plane. */
export interface ContainerInstance {
  /** The volume on this machine. */
  volume: string
  /** The address at which jobs in the container reach servers of this machine. */
  hostAddress: string
  api(path: string, options?: CallOptions): Promise<Reply>
  /** Writes a file of the jobs repo, as an editor in the volume does. */
  save(file: string, content: string | Buffer): void
  remove(file: string): void
  jobs(): Promise<{ jobs: { id: string }[]; manifest: ManifestJson }>
  repo(): Promise<RepoJson>
  /** Runs a job, and waits for its end. */
  run(id: string): Promise<EndedRun>
}

/** `subdomain` must be the test's own: the containers of all tests are on one engine, by the names of their instances. */
export async function startInContainer(
  t: TestContext,
  subdomain: string,
  env: Record<string, string> = {},
): Promise<ContainerInstance> {
  const longhouse = await startLonghouse(t, { driver: 'docker', env })
  const { password } = await longhouse.provision(subdomain)
  const api = await longhouse.login(subdomain, password)
  const { NetworkSettings } = await new Docker().getContainer(`longhouse-${subdomain}`).inspect()
  const gateway = Object.values(NetworkSettings.Networks)[0]?.Gateway
  if (!gateway) throw new Error('the container is on no network')
  const volume = join(longhouse.dataRoot, subdomain)
  return {
    volume,
    hostAddress: gateway,
    api,
    save: (file, content) => {
      mkdirSync(dirname(join(volume, 'jobs', file)), { recursive: true })
      writeFileSync(join(volume, 'jobs', file), content)
    },
    remove: file => rmSync(join(volume, 'jobs', file), { recursive: true, force: true }),
    jobs: async () => (await api('/api/jobs')).json(),
    repo: async () => (await api('/api/jobs/repo')).json(),
    run: async id => {
      const started = await api(`/api/jobs/${id}/run`, { method: 'POST' })
      const { id: run } = started.json<{ id?: string }>()
      if (!run) throw new Error(`${id} does not run: ${started.text}`)
      return eventually(`${id} has ended`, async () => {
        const found = (await api(`/api/runs/${run}`)).json<EndedRun>()
        const { status, result = null, error = null } = found
        return !['queued', 'running'].includes(status) && { status, result, error }
      })
    },
  }
}

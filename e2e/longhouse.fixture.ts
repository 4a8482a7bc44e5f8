import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ask, type Reply } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

const root = join(import.meta.dirname, '..')

export type DriverName = 'process' | 'docker'

/** The image that tests of the docker driver run, when there is an engine for them. */
export const testImage = process.env.LONGHOUSE_TEST_IMAGE

/** Each driver with the reason why it cannot be tested here, or false. With LONGHOUSE_DEMAND_ALL nothing is skipped. */
export const drivers: { driver: DriverName; skip: string | false }[] = [
  { driver: 'process', skip: false },
  {
    driver: 'docker',
    skip:
      testImage || process.env.LONGHOUSE_DEMAND_ALL
        ? false
        : 'needs a Docker engine: npm run images, then LONGHOUSE_TEST_IMAGE=longhouse-runtime:latest npm test',
  },
]

export interface InstanceJson {
  id: string
  subdomain: string
  owner_email: string
  url: string
  status: string
  status_reason: string | null
  desired: string
  driver: string
  image: string
  created_at: string
  last_health_at: string | null
  password?: string
  operation: { id: string; kind: string; status: string; steps: { name: string; status: string }[] } | null
}

export interface CallOptions {
  method?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface Longhouse {
  port: number
  dataRoot: string
  token: string
  process: ChildProcess
  /** What it wrote so far. */
  output(): string
  /** Calls the control plane as the admin. */
  admin(path: string, options?: CallOptions & { wait?: number }): Promise<Reply>
  /** Calls an instance through the router, authenticated by the given headers. */
  instance(subdomain: string, path: string, options?: CallOptions): Promise<Reply>
  /** Provisions an instance and waits until it runs; fails with its reason when it does not. */
  provision(subdomain: string, owner?: string): Promise<InstanceJson & { password: string }>
  /** Logs in to an instance; what comes back calls its API with the session. */
  login(subdomain: string, password: string): Promise<(path: string, options?: CallOptions) => Promise<Reply>>
  /** Sends a signal and waits for the end; returns the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts the built control plane as its own process, on a port that the system chooses. It is stopped after the test. */
export async function startLonghouse(
  t: Pick<TestContext, 'after'>,
  options: {
    driver: DriverName
    dataRoot?: string
    env?: Record<string, string>
    /** Another build's control plane. */
    program?: string
    /** The number of the user and group that it runs as, when a test of root wants another one. */
    user?: number
  },
): Promise<Longhouse> {
  const dataRoot = options.dataRoot ?? temporaryFolder(t)
  const child = spawn(process.execPath, [options.program ?? join(root, 'dist/control-plane.js')], {
    cwd: dataRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user !== undefined && { uid: options.user, gid: options.user }),
    env: {
      PATH: process.env.PATH,
      ...(process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {}),
      ...(testImage ? { CONTROL_PLANE_IMAGE: testImage } : {}),
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: '0',
      PROVISIONER_DRIVER: options.driver,
      PROVISIONER_STOP_GRACE: '5s',
      HEALTH_INTERVAL: '500ms',
      // Only the tests about copies make them.
      BACKUP_EVERY: '0ms',
      BACKUP_KEEP_PURGED: '0ms',
      ...options.env,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  }
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  const allWritten = new Promise(resolve => child.once('close', resolve))
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return await ended
  }
  const control = `control.${options.env?.LONGHOUSE_DOMAIN ?? 'localhost'}`
  const domain = control.slice('control.'.length)

  const port = await eventually('the control plane listens', () => {
    if (child.exitCode !== null) return -1
    const match = /Longhouse runs at\s+https?:\/\/[^:]+:(\d+)/.exec(output)
    // Behind a proxy, it names the proxy's port.
    return match && Number(options.env?.LONGHOUSE_PORT ?? match[1])
  })
  if (port < 0) await allWritten
  if (port < 0) throw new Error(`the control plane ended with ${child.exitCode}:\n${output}`)
  const token =
    options.env?.ADMIN_TOKEN ?? readFileSync(join(dataRoot, '.control', 'admin-token'), 'utf8').trim()

  const call = (host: string, path: string, { method, body, headers }: CallOptions = {}) =>
    ask({
      port,
      host: `${host}:${port}`,
      path,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })

  const longhouse: Longhouse = {
    port,
    dataRoot,
    token,
    process: child,
    output: () => output,
    end,
    admin: (path, { wait, headers, ...rest } = {}) =>
      call(control, path, {
        ...rest,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(wait ? { Prefer: `wait=${wait}` } : {}),
          ...headers,
        },
      }),
    instance: (subdomain, path, callOptions) => call(`${subdomain}.${domain}`, path, callOptions),
    provision: async (subdomain, owner = 'test@example.com') => {
      const reply = await longhouse.admin('/admin/instances', {
        body: { subdomain, owner_email: owner },
        wait: 60,
      })
      const instance = reply.json<InstanceJson & { password: string }>()
      if (instance.status !== 'running') throw new Error(`${subdomain} does not run: ${reply.text}`)
      return instance
    },
    login: async (subdomain, password) => {
      const reply = await longhouse.instance(subdomain, '/api/auth/password', { body: { password } })
      const cookie = reply.headers['set-cookie']?.[0]?.split(';')[0]
      if (reply.status >= 300 || !cookie) throw new Error(`no login: ${reply.status} ${reply.text}`)
      return (path, callOptions) =>
        longhouse.instance(subdomain, path, {
          ...callOptions,
          headers: { Cookie: cookie, ...callOptions?.headers },
        })
    },
  }
  t.after(async () => {
    if (options.driver === 'docker' && child.exitCode === null && child.signalCode === null)
      await removeAll(longhouse)
    await end('SIGTERM')
  })
  return longhouse
}

/** Containers outlive the control plane: a test takes its own away. */
async function removeAll({ admin }: Longhouse): Promise<void> {
  const reply = await admin('/admin/instances').catch(() => null)
  if (reply?.status !== 200) return
  const { instances } = reply.json<{ instances: InstanceJson[] }>()
  await Promise.all(
    instances.map(({ subdomain }) =>
      admin(`/admin/instances/${subdomain}?purge=true`, { method: 'DELETE', wait: 60 }),
    ),
  )
}

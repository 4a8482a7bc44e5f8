import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type Driver, DriverError, type InstanceRef, type InstanceSpec } from './driver.ts'

interface Child {
  process: ChildProcess
  port: number | null
  ended: Promise<void>
}

/**
 * Runs each instance as a child process on a loopback port: for a laptop or a test. It isolates nothing, and no
 * instance outlives the control plane. `program` is the built runtime.
 */
export function createProcessDriver(options: { program: string; nodeFlags?: readonly string[] }): Driver {
  const specs = new Map<string, InstanceSpec>()
  const children = new Map<string, Child>()
  const logs = new Map<string, string[]>()

  const keepLines = (id: string, stream: NodeJS.ReadableStream | null) => {
    if (!stream) return
    const lines = logs.get(id) ?? []
    logs.set(id, lines)
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      if (lines.length > 200) lines.shift()
    })
  }

  const launch = (spec: InstanceSpec): Promise<void> => {
    const child = spawn(process.execPath, [...(options.nodeFlags ?? []), options.program], {
      env: instanceEnvironment(spec),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in the terminal reaches the control plane, which stops its instances in order.
      detached: true,
    })
    keepLines(spec.id, child.stdout)
    keepLines(spec.id, child.stderr)
    const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
    const entry: Child = { process: child, port: null, ended }
    children.set(spec.id, entry)
    void ended.then(() => {
      if (children.get(spec.id) === entry) children.delete(spec.id)
    })
    return new Promise((resolve, reject) => {
      child.on('message', message => {
        const { type, port } = message as { type?: string; port?: number }
        if (type !== 'listening' || typeof port !== 'number') return
        entry.port = port
        resolve()
      })
      child.once('error', error =>
        reject(
          new DriverError(`the process could not be started: ${error.message}`, {
            permanent: false,
            cause: error,
          }),
        ),
      )
      void ended.then(() => {
        const tail = (logs.get(spec.id) ?? []).slice(-20).join('\n')
        reject(
          new DriverError(`the process ended before it listened.\nIts last lines:\n${tail}`, {
            permanent: false,
          }),
        )
      })
    })
  }

  const stop = async ({ id }: InstanceRef, graceMs: number): Promise<void> => {
    const child = children.get(id)
    if (!child) return
    child.process.kill('SIGTERM')
    const timer = setTimeout(() => child.process.kill('SIGKILL'), graceMs)
    await child.ended
    clearTimeout(timer)
  }

  return {
    name: 'process',
    warning:
      'The process driver isolates nothing: every instance runs with the rights of the control plane. Use it to try things out, never for customers.',
    outlivesControlPlane: false,
    ping: async () => {},
    prepareVolume: async spec => {
      await mkdir(spec.volume, { recursive: true, mode: 0o700 })
    },
    prepareImage: async () => {},
    create: async spec => {
      const before = specs.get(spec.id)
      if (before && JSON.stringify(before) !== JSON.stringify(spec)) await stop(spec, 10_000)
      specs.set(spec.id, spec)
    },
    start: async ({ id, subdomain }) => {
      if (children.has(id)) return
      const spec = specs.get(id)
      if (!spec) throw new DriverError(`${subdomain} was not created`, { permanent: false })
      await launch(spec)
    },
    stop,
    remove: async ref => {
      await stop(ref, 10_000)
      specs.delete(ref.id)
      logs.delete(ref.id)
    },
    inspect: async ({ id }) => {
      const port = children.get(id)?.port ?? null
      if (port !== null) return { state: 'running', address: { host: '127.0.0.1', port } }
      return { state: specs.has(id) ? 'stopped' : 'absent', address: null }
    },
    logTail: async ({ id }, lines) => (logs.get(id) ?? []).slice(-lines),
    close: async () => {
      await Promise.all([...children.keys()].map(id => stop({ id, subdomain: id }, 10_000)))
    },
  }
}

/** Only what an instance needs: nothing of the control plane's own settings and secrets. */
function instanceEnvironment(spec: InstanceSpec): Record<string, string> {
  const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(passed),
    LONGHOUSE_INSTANCE_ID: spec.id,
    LONGHOUSE_PUBLIC_URL: spec.publicUrl,
    LONGHOUSE_TIMEZONE: spec.timezone,
    LONGHOUSE_DATA_DIR: spec.volume,
    LONGHOUSE_HOST: '127.0.0.1',
    LONGHOUSE_PORT: '0',
    LONGHOUSE_PASSWORD: spec.passwordHash,
    LONGHOUSE_TRUSTED_PROXIES: '127.0.0.0/8,::1',
  }
}

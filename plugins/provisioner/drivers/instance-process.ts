import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { waitAtMost } from '../../../src/concurrency.ts'
import { DriverError, type InstanceSpec } from '../driver.ts'

/** An instance that runs as a child process. */
export interface InstanceProcess {
  pid: number
  startedAt: number
  /** Where it listens; null until it does. */
  port(): number | null
  /** Resolves when it has ended, with how. */
  ended: Promise<string>
  /** Asks it to end, and after `graceMs` makes it. */
  stop(graceMs: number): Promise<void>
}

/** A descendant may hold the pipes open long after the process itself has ended; its last lines come within this. */
const lastLinesMs = 500

/**
 * Starts the built runtime `program` and waits until it listens. Throws a DriverError, with nothing left running, when it
 * ends before or does not listen within `deadlineMs`. Each line that it writes goes to `onLine`.
 */
export async function startInstanceProcess(options: {
  program: string
  spec: InstanceSpec
  deadlineMs: number
  onLine(line: string, stream: 'out' | 'err'): void
}): Promise<InstanceProcess> {
  const { program, spec, deadlineMs, onLine } = options
  const startedAt = Date.now()
  const child = spawn(process.execPath, [program], {
    env: environment(spec),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C in the terminal reaches the control plane, which stops its instances in order.
    detached: true,
  })
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    if (stream) createInterface({ input: stream }).on('line', line => onLine(line, name))
  }
  const ended = endOf(child)
  const stop = async (graceMs: number) => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }
  const { port, failure } = await listening(child, ended, deadlineMs)
  if (failure !== null) {
    await stop(0)
    throw new DriverError(failure, { permanent: false })
  }
  return { pid: child.pid ?? 0, startedAt, port: () => port, ended, stop }
}

function endOf(child: ChildProcess): Promise<string> {
  const closed = new Promise(resolve => child.once('close', resolve))
  return new Promise(resolve => {
    child.once('error', error => resolve(`it could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = signal ? `it was ended by ${signal}` : `it ended with code ${code}`
      void waitAtMost(closed, lastLinesMs).then(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
        resolve(how)
      })
    })
  })
}

/** The port, once it says that it listens; or why it never will. */
function listening(
  child: ChildProcess,
  ended: Promise<string>,
  deadlineMs: number,
): Promise<{ port: number; failure: null } | { port: null; failure: string }> {
  return new Promise(resolve => {
    const fail = (failure: string) => resolve({ port: null, failure })
    const timer = setTimeout(() => fail(`it did not listen within ${deadlineMs / 1000} s`), deadlineMs)
    child.on('message', message => {
      const { type, port } = message as { type?: unknown; port?: unknown }
      if (type !== 'listening' || typeof port !== 'number') return
      clearTimeout(timer)
      resolve({ port, failure: null })
    })
    void ended.then(how => {
      clearTimeout(timer)
      fail(`${how} before it listened`)
    })
  })
}

/** Only what an instance needs: nothing of the control plane's own settings and secrets. */
function environment(spec: InstanceSpec): Record<string, string> {
  const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(passed),
    LONGHOUSE_INSTANCE_ID: spec.id,
    LONGHOUSE_PUBLIC_URL: spec.publicUrl,
    LONGHOUSE_TIMEZONE: spec.timezone,
    ...spec.environment,
    LONGHOUSE_DATA_DIR: spec.volume,
    LONGHOUSE_HOST: '127.0.0.1',
    LONGHOUSE_PORT: '0',
    LONGHOUSE_PASSWORD: spec.passwordHash,
    LONGHOUSE_TRUSTED_PROXIES: '127.0.0.0/8,::1',
  }
}

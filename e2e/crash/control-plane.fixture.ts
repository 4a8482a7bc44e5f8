import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { WireInstance } from '../../plugins/provisioner/pages/wire.ts'
import { ask, type Reply } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { type DriverName, testImage } from '../longhouse.fixture.ts'
import type { Passed, Trap } from './points.fixture.ts'

const root = join(import.meta.dirname, '../..')
const token = 'a-token-that-only-the-operator-has'

export interface Setting {
  driver: DriverName
  /** Another image of the runtime, to upgrade to. */
  otherImage: string | null
}

/** A control plane in a process of its own, whose operations can be held. */
export class Program {
  readonly child: ChildProcess
  readonly passed: Passed[] = []
  #output = ''
  #port = 0
  #messages = 0

  constructor(
    dataRoot: string,
    { driver }: Setting,
    traps: Readonly<Record<string, Trap>>,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.child = fork(join(import.meta.dirname, 'program.fixture.ts'), {
      execArgv: ['--import', join(root, 'scripts/loader.mjs')],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        ...(process.env.DOCKER_HOST && { DOCKER_HOST: process.env.DOCKER_HOST }),
        ...(testImage && { CONTROL_PLANE_IMAGE: testImage }),
        ...(driver === 'process' && { MATRIX_INSTANCE: join(import.meta.dirname, 'instance.fixture.mjs') }),
        MATRIX_TRAPS: JSON.stringify(traps),
        LONGHOUSE_DATA_ROOT: dataRoot,
        LONGHOUSE_PORT: '0',
        ADMIN_TOKEN: token,
        PROVISIONER_DRIVER: driver,
        PROVISIONER_CONCURRENCY: '64',
        PROVISIONER_STOP_GRACE: '5s',
        PROVISIONER_DEADLINE: '120s',
        HEALTH_INTERVAL: '2s',
        HEALTH_TIMEOUT: '30s',
        BACKUP_EVERY: '0ms',
        BACKUP_PROVE_EVERY: '0ms',
        // One that is held in the middle of its copy holds up no other.
        BACKUP_CONCURRENCY: '64',
        ...env,
      },
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', piece => {
        this.#output = `${this.#output}${piece}`.slice(-20_000)
      })
    this.child.on('message', (message: Passed & { type: string; port?: number }) => {
      if (message.type === 'passed') this.passed.push(message)
      if (message.type === 'listening') this.#port = message.port ?? 0
    })
  }

  async listening(): Promise<void> {
    await eventually('the control plane listens', () => {
      assert.equal(this.child.exitCode, null, this.#output)
      return this.#port > 0
    })
  }

  get output(): string {
    return this.#output
  }

  /** Sets traps, has it kill itself from now on, or runs a task, in the program. Fails when it ends meanwhile. */
  async tell(message: {
    traps?: Readonly<Record<string, Trap>>
    arms?: boolean
    task?: string
  }): Promise<void> {
    const id = ++this.#messages
    const over = Promise.withResolvers<void>()
    const listen = (answer: { type: string; id: number; error?: string }) => {
      if (answer.type !== 'done' || answer.id !== id) return
      this.child.off('message', listen)
      if (answer.error === undefined) over.resolve()
      else over.reject(new Error(`${message.task}: ${answer.error}`))
    }
    this.child.on('message', listen)
    const ended = () => over.reject(new Error('the program has ended'))
    this.child.once('exit', ended)
    if (this.child.connected) this.child.send({ type: 'do', id, ...message })
    else ended()
    await over.promise.finally(() => this.child.off('exit', ended))
  }

  call(method: string, path: string, { body, wait }: { body?: unknown; wait?: number } = {}): Promise<Reply> {
    return ask({
      port: this.#port,
      host: 'control.localhost',
      method,
      path,
      headers: { Authorization: `Bearer ${token}`, ...(wait && { Prefer: `wait=${wait}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** Has something done and waits until it is; fails with the answer when it is not. */
  async must<T = WireInstance & { password?: string }>(
    method: string,
    path: string,
    options: { body?: unknown; wait?: number } = {},
  ): Promise<T> {
    const reply = await this.call(method, path, options)
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`)
    return reply.json<T>()
  }

  visit(
    subdomain: string,
    path = '/api/health',
    options: { headers?: Record<string, string>; body?: string; method?: string } = {},
  ) {
    return ask({ port: this.#port, host: `${subdomain}.localhost:${this.#port}`, path, ...options })
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    await ended
  }
}

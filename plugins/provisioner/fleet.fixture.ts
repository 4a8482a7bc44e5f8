import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { boot, type Program } from '../../control-plane/boot.ts'
import { controlWeb } from '../../control-plane/web.tsx'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { Plugin } from '../../src/kernel/plugin.ts'
import { silentLog } from '../../src/log.ts'
import { ask, type Reply } from '../../src/testing/ask.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { auth } from '../auth/index.ts'
import { health } from '../health/index.ts'
import { router } from '../router/index.ts'
import type { Driver } from './driver.ts'
import { createProcessDriver } from './drivers/process.ts'
import { folderIdleMs } from './folder-progress.ts'
import { provisionerOver } from './index.ts'
import type { WireInstance } from './pages/wire.ts'
import type { VolumeLook } from './volumes/inspection.ts'
import { lookAtVolume } from './volumes/volume.ts'

export const token = 'a-token-that-only-the-operator-has'

export interface Answer<T = WireInstance & { password?: string }> {
  status: number
  headers: Headers
  body: T
}

export interface TestFleet {
  root: string
  program: Program
  /** What its instances are made with. */
  driver: Driver
  port: number
  /** Calls the control plane as the admin, with JSON. */
  admin<T = WireInstance & { password?: string }>(
    method: string,
    path: string,
    options?: { body?: unknown; wait?: number; headers?: Record<string, string> },
  ): Promise<Answer<T>>
  /** Provisions and waits. */
  provision(subdomain: string, owner?: string): Promise<Answer>
  /** Asks an instance through the router. */
  visit(subdomain: string, path?: string, headers?: Record<string, string>): Promise<Reply>
  /** Makes an instance's program misbehave from now on. */
  behave(subdomain: string, how: string): void
}

/** A control plane on a port of its own whose instances are real processes of the stand-in. */
export async function testFleet(
  t: Pick<TestContext, 'after'>,
  options: {
    root?: string
    env?: Record<string, string>
    driver?: (real: Driver) => Driver
    /** The program of its instances; the stand-in when left out. */
    instanceProgram?: string
    clock?: Clock
    /** In place of the look at a volume's place. */
    look?: (real: VolumeLook) => VolumeLook
    /** How long a program may take until it listens. */
    listenWithinMs?: number
    /** The program for copies, and how long it may make no progress; read with each work. */
    copies?: { copyProgram: string; folderIdleMs: number }
    /** Beside the provisioner and those that it needs. */
    plugins?: readonly Plugin[]
  } = {},
): Promise<TestFleet> {
  const root = options.root ?? temporaryFolder(t)
  const { copies } = options
  const driver = createProcessDriver({
    program: options.instanceProgram ?? join(import.meta.dirname, 'stand-in.fixture.mjs'),
    log: silentLog,
    listenWithinMs: options.listenWithinMs ?? 30_000,
    ...(copies && { copyProgram: copies.copyProgram }),
    get folderIdleMs() {
      return copies?.folderIdleMs ?? folderIdleMs
    },
  })
  let booted: Program | undefined
  const program = await boot({
    plugins: [
      auth,
      router,
      provisionerOver(async () => options.driver?.(driver) ?? driver, options.look?.(lookAtVolume)),
      health,
      ...(options.plugins ?? []),
    ],
    env: {
      LONGHOUSE_DATA_ROOT: root,
      LONGHOUSE_PORT: '0',
      ADMIN_TOKEN: token,
      PROVISIONER_DEADLINE: '30s',
      PROVISIONER_STOP_GRACE: '2s',
      HEALTH_INTERVAL: '100ms',
      HEALTH_TIMEOUT: '5s',
      ...options.env,
    },
    log: silentLog,
    clock: options.clock ?? systemClock,
    web: controlWeb(
      { url: name => `/assets/${name}`, mount: () => {} },
      {
        isOperator: c => booted?.services.auth?.isOperator(c) ?? false,
        isOwner: c => (booted?.services.auth?.visitor(c) ?? null) !== null,
      },
    ),
  })
  booted = program
  t.after(() => program.stop())
  const port = await program.listen()

  const admin: TestFleet['admin'] = async (method, path, { body, wait, headers } = {}) => {
    const reply = await ask({
      port,
      host: 'control.localhost',
      method,
      path,
      headers: { Authorization: `Bearer ${token}`, ...(wait ? { Prefer: `wait=${wait}` } : {}), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const json = reply.headers['content-type']?.includes('json')
    return {
      status: reply.status,
      headers: new Headers(reply.headers as never),
      body: json ? reply.json() : (reply.text as never),
    }
  }
  return {
    root,
    program,
    driver,
    port,
    admin,
    provision: (subdomain, owner = 'ada@example.com') =>
      admin('POST', '/admin/instances', { body: { subdomain, owner_email: owner }, wait: 60 }),
    visit: (subdomain, path = '/', headers = {}) =>
      ask({ port, host: `${subdomain}.localhost:${port}`, path, headers }),
    behave: (subdomain, how) => {
      mkdirSync(join(root, subdomain), { recursive: true })
      writeFileSync(join(root, subdomain, 'behave'), how)
    },
  }
}

import { mkdirSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { bootOrder } from './boot-order.ts'
import type { Clock } from './clock.ts'
import { type Environment, parseConfig } from './config.ts'
import { holdLock, openSqlite, openTables } from './database.ts'
import { inWords } from './database-fault.ts'
import { checkDisk } from './disk.ts'
import { EventBus } from './events.ts'
import { BootError } from './faults.ts'
import { type AppOptions, createApp } from './http/app.ts'
import { canonicalHost } from './http/canonical-host.ts'
import { createListener } from './http/listener.ts'
import type { AppEnv, Route } from './http/route.ts'
import { closeServer, openServer } from './http/server.ts'
import { warnOfUnbelieved } from './http/unbelieved.ts'
import type { Logger } from './log.ts'
import { refuseNewerDatabase } from './migrations.ts'
import type { Check, MadeParts, Plugin, PluginContext, Services } from './plugin.ts'
import { settingNames, strangeSettings } from './setting-names.ts'
import { ownOrigins, type Site, siteConfig, siteUrl } from './site.ts'
import { type RunningTask, startTask, type Task } from './tasks.ts'

export interface KernelOptions {
  plugins: readonly Plugin[]
  env: Environment
  log: Logger
  clock: Clock
  web: Pick<AppOptions, 'info' | 'problemPage'> & {
    renderer(site: Site): AppOptions['renderer']
    mount?(app: Hono<AppEnv>): void
  }
}

export interface Program {
  site: Site
  app: Hono<AppEnv>
  services: Partial<Services>
  routes: readonly Route[]
  /** Runs one task of one plugin once, as its loop would. */
  runOnce(task: string): Promise<void>
  /** Begins to answer requests and to run the tasks; returns the port. When it cannot, it stops everything. */
  listen(): Promise<number>
  /** Drains, stops listening, then the tasks, then the plugins in reverse order. */
  stop(): Promise<void>
}

/**
 * Sets up a control plane from its plugins. Every fault of every plugin is found before anything is touched, and
 * thrown as one BootError; a plugin that fails to start stops those that had started.
 */
export async function boot(options: KernelOptions): Promise<Program> {
  const { env, log, clock, web } = options
  const { order, faults } = bootOrder(options.plugins)
  const site = parseConfig(siteConfig, env)
  const configs = new Map<string, unknown>()
  for (const plugin of order) {
    if (!plugin.config) continue
    const parsed = parseConfig(plugin.config, env)
    faults.push(...parsed.faults)
    configs.set(plugin.name, parsed.config)
  }
  faults.push(...site.faults)
  const known = [siteConfig, ...order.map(plugin => plugin.config)].flatMap(each => settingNames(each))
  const { misspelt, unknown } = strangeSettings(env, known)
  faults.push(...misspelt)
  for (const words of unknown) log.warn(words)
  if (!site.config || faults.length > 0) throw new BootError([...new Set(faults)])

  const releases: (() => unknown)[] = []
  let released: Promise<void> | undefined
  const releaseAll = async () => {
    for (let stop = releases.pop(); stop; stop = releases.pop()) {
      try {
        await stop()
      } catch (error) {
        log.error({ err: error }, 'failed to stop')
      }
    }
  }
  const release = () => {
    released ??= releaseAll()
    return released
  }
  try {
    return await assemble({ options, order, site: site.config, configs, releases, release, clock, log, web })
  } catch (error) {
    await release()
    throw error
  }
}

interface Assembly {
  options: KernelOptions
  order: readonly Plugin[]
  site: Site
  configs: ReadonlyMap<string, unknown>
  releases: (() => unknown)[]
  release(): Promise<void>
  clock: Clock
  log: Logger
  web: KernelOptions['web']
}

async function assemble({
  order,
  site,
  configs,
  releases,
  release,
  clock,
  log,
  web,
}: Assembly): Promise<Program> {
  const folder = join(site.dataRoot, '.control')
  const lock = inDataRoot(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return holdLock(join(folder, 'lock'))
  })
  if (!lock)
    throw new BootError([
      `LONGHOUSE_DATA_ROOT: another control plane runs on ${site.dataRoot}; stop it first`,
    ])
  releases.push(() => lock.release())

  const file = join(folder, 'longhouse.db')
  const sqlite = inDataRoot(file, () => {
    refuseNewerDatabase(file, migrationsOf(order), 'LONGHOUSE_DATA_ROOT')
    return inWords(file, 'LONGHOUSE_DATA_ROOT', () => openSqlite(file))
  })
  releases.push(() => sqlite.close())

  const bus = new EventBus(log)
  const services: Record<string, unknown> = {}
  const checks = new Map<string, Check>([
    ['database', () => void sqlite.prepare('select 1').get()],
    ['disk', () => checkDisk(folder)],
  ])
  const tasks = new Map<string, Task>()
  const running = new Map<string, RunningTask>()
  const parts: { plugin: Plugin; parts: MadeParts }[] = []

  for (const plugin of order) {
    const context: PluginContext<never, unknown, Record<string, unknown>> = {
      config: configs.get(plugin.name),
      site,
      db: openTables(sqlite, plugin.name, plugin.tables),
      log: log.child({ plugin: plugin.name }),
      clock,
      services: Object.fromEntries(plugin.needs.map(need => [need, services[need]])) as Pick<Services, never>,
      emit: (event, payload) => bus.emit(event, payload),
      nudge: task => running.get(`${plugin.name}:${task}`)?.nudge(),
      checks: () => checks,
      taskFaults: () =>
        [...running].flatMap(([task, { fault }]) => {
          const reason = fault()
          return reason === null ? [] : [{ task, reason }]
        }),
    }
    const made = await plugin.setup(context)
    parts.push({ plugin, parts: made })
    if (made.stop) releases.push(made.stop)
    services[plugin.name] = made.service
    for (const [name, check] of Object.entries(made.checks ?? {})) {
      if (checks.has(name)) throw new Error(`plugin "${plugin.name}": a check is already called "${name}"`)
      checks.set(name, check)
    }
    for (const task of made.tasks ?? []) tasks.set(`${plugin.name}:${task.name}`, task)
    for (const [event, listener] of Object.entries(made.on ?? {})) {
      bus.on(event, plugin.name, listener as (payload: unknown) => void)
    }
  }

  const routes = parts.flatMap(({ parts }) => parts.routes ?? [])
  const app = createApp({
    log,
    routes,
    info: web.info,
    trustedProxies: site.trustedProxies,
    https: site.publicUrl?.protocol === 'https:',
    origins: () => ownOrigins(site),
    server: () => siteUrl(site, 'control'),
    formTargets: () => parts.flatMap(({ parts: made }) => made.formTargets?.() ?? []),
    before: [canonicalHost(site)],
    renderer: web.renderer(site),
    problemPage: web.problemPage,
  })
  web.mount?.(app)
  for (const { parts: made } of parts) await made.start?.()

  const server = createHttpServer({ app, plugins: parts, log, site })
  return {
    site,
    app,
    services: services as Partial<Services>,
    routes,
    runOnce: async name => {
      const task = tasks.get(name)
      if (!task) throw new Error(`no task is called ${name}; there are ${[...tasks.keys()].join(', ')}`)
      await task.run(new AbortController().signal)
    },
    listen: async () => {
      try {
        site.port = await openServer(server, site)
      } catch (error) {
        await release()
        throw error
      }
      releases.push(() => Promise.all([...running.values()].map(task => task.stop())))
      releases.push(() => closeServer(server))
      for (const { parts: made } of parts) if (made.drain) releases.push(made.drain)
      for (const [name, task] of tasks) {
        const started = startTask(task, { clock, log })
        running.set(name, started)
        checks.set(`task ${name}`, () => {
          const fault = started.fault()
          if (fault !== null) throw new Error(fault)
        })
      }
      return site.port
    },
    stop: release,
  }
}

function migrationsOf(plugins: readonly Plugin[]): Record<string, string> {
  return Object.fromEntries(
    plugins.flatMap(({ name, tables }) => (tables ? [[name, tables.migrations]] : [])),
  )
}

/** What goes wrong with the files of the data root is for the operator to mend: in words, not as a stack. */
function inDataRoot<T>(file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof BootError) throw error
    throw new BootError([`LONGHOUSE_DATA_ROOT: cannot use ${file}: ${(error as Error).message}`])
  }
}

function createHttpServer(options: {
  app: Hono<AppEnv>
  plugins: readonly { plugin: Plugin; parts: MadeParts }[]
  log: Logger
  site: Site
}): Server {
  const { app, plugins, log, site } = options
  /** True when a plugin took it. One that throws costs the connection in question and no other. */
  const offer = (socket: Duplex, ask: (parts: MadeParts) => boolean | undefined): boolean =>
    plugins.some(({ plugin, parts }) => {
      try {
        return ask(parts)
      } catch (error) {
        log.error({ err: error, plugin: plugin.name }, 'failed to take a request')
        socket.destroy()
        return true
      }
    })
  const answer = getRequestListener(app.fetch as (request: Request, env: unknown) => Promise<Response>, {
    overrideGlobalObjects: false,
  })
  const warn = warnOfUnbelieved(site, log)
  const take = (request: IncomingMessage, response: ServerResponse) =>
    offer(request.socket, parts => parts.intercept?.(request, response))
  return createListener({
    bodyRate: site.bodyRate,
    answer: (request, response) => {
      warn(request)
      if (!take(request, response)) void answer(request, response)
    },
    expect: (request, response) => {
      if (take(request, response)) return
      response.writeContinue()
      void answer(request, response)
    },
    upgrade: (request, socket, head) => offer(socket, parts => parts.upgrade?.(request, socket, head)),
  })
}

import { join } from 'node:path'
import type { Hono } from 'hono'
import { type OpenListener, ownOrigins, type Site, siteUrl } from '../plugins/site/contract.ts'
import { site as sitePlugin } from '../plugins/site/index.ts'
import type { Clock } from '../src/clock.ts'
import { type AppOptions, createApp } from '../src/http/app.ts'
import type { AppEnv, Route } from '../src/http/route.ts'
import type { Environment } from '../src/kernel/config.ts'
import { assemble, type Services } from '../src/kernel/control-plane.ts'
import { type PlannedProgram, planProgram } from '../src/kernel/plan.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { createReleases, type Releases } from '../src/kernel/releases.ts'
import type { Logger } from '../src/log.ts'
import { checkDisk } from '../src/storage/disk.ts'
import { canonicalHost } from './canonical-host.ts'
import { openDatabase } from './data-root.ts'
import { createFront, entranceSettings } from './front.ts'
import { upgradeIsComplete } from './records-copy.ts'

export interface BootOptions {
  /** The plugins, besides the site's own. */
  plugins: readonly Plugin[]
  env: Environment
  log: Logger
  clock: Clock
  web: Pick<AppOptions, 'info' | 'problemPage'> & {
    renderer(site: Site): AppOptions['renderer']
    mount?(app: Hono<AppEnv>, site: Site): void
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
  /** Stops listening, drains, then stops the tasks, then the plugins in reverse order. */
  stop(): Promise<void>
}

/**
 * Sets up a control plane from its plugins. Every fault of every plugin is found before anything is touched, and
 * thrown as one BootError; a plugin that fails to start stops those that had started.
 */
export async function boot(options: BootOptions): Promise<Program> {
  const { env, log } = options
  const plan = planProgram([sitePlugin, ...options.plugins], { env, log })
  const releases = createReleases(log)
  try {
    return await start(options, plan, releases)
  } catch (error) {
    await releases.release()
    throw error
  }
}

async function start(
  { log, clock, web }: BootOptions,
  plan: PlannedProgram,
  releases: Releases,
): Promise<Program> {
  const site = plan.configs.get(sitePlugin.name) as Site
  const folder = join(site.dataRoot, '.control')
  const sqlite = openDatabase(site, folder, plan.order, releases, clock.now())
  const assembly = await assemble({
    ...plan,
    sqlite,
    log,
    clock,
    releases,
    asks: {
      'around-route': 'any',
      'take-connection': 'any',
      'take-request': 'any',
      'take-upgrade': 'any',
      'form-targets': 'any',
      'certificate-source': 'optional',
      'open-listener': 'optional',
    },
    checks: {
      database: () => void sqlite.prepare('select 1').get(),
      disk: () => checkDisk(folder),
    },
  })
  upgradeIsComplete(folder)
  const around = assembly.answers('around-route')
  const formTargets = assembly.answers('form-targets')
  // Another program listens for people, and passes requests on through a socket.
  const openListener = assembly.answers('open-listener')[0]?.answer
  const app = createApp({
    log,
    routes: assembly.routes.map(route => around.reduce((each, { answer }) => answer(each), route)),
    info: web.info,
    // A connection at a socket has no address, and counts as one of this machine: it is the edge's, which says who the client is.
    trustedProxies: openListener ? [...site.trustedProxies, '127.0.0.1'] : site.trustedProxies,
    https: site.publicUrl?.protocol === 'https:',
    hstsSeconds: site.hstsSeconds,
    origins: () => ownOrigins(site),
    server: () => siteUrl(site, 'control'),
    formTargets: () => formTargets.flatMap(({ answer }) => answer()),
    before: [canonicalHost(site)],
    renderer: web.renderer(site),
    problemPage: web.problemPage,
  })
  web.mount?.(app, site)
  await assembly.start()

  const settings = entranceSettings(site, assembly.answers('certificate-source')[0]?.answer())
  const entrance = createFront({
    app,
    site,
    log,
    takeConnection: assembly.answers('take-connection'),
    takeRequest: assembly.answers('take-request'),
    takeUpgrade: assembly.answers('take-upgrade'),
    settings: openListener ? { ...settings, secure: null, proxyProtocol: [] } : settings,
  })
  const open = async (): Promise<OpenListener> => {
    const [door] = entrance.doors
    if (openListener && door) return openListener(door.server, settings)
    return { ...(await entrance.open()), leave: () => undefined, close: async () => undefined }
  }
  return {
    site,
    app,
    services: assembly.offered,
    routes: assembly.routes,
    runOnce: assembly.runOnce,
    listen: async () => {
      let listener: OpenListener
      try {
        listener = await open()
        site.port = listener.port
        if (site.tls && listener.securePort !== null) site.tls.port = listener.securePort
      } catch (error) {
        await releases.release()
        throw error
      }
      const stopTasks = assembly.startTasks()
      releases.add(stopTasks)
      releases.add(() => listener.close())
      releases.add(() =>
        entrance.close({
          graceMs: site.drainGraceMs,
          drain: () => assembly.drain({ patience: true }),
        }),
      )
      releases.add(() => listener.leave())
      return site.port
    },
    stop: releases.release,
  }
}

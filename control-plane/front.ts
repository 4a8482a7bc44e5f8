import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { labelOf, type Site } from '../plugins/site/contract.ts'
import { BootError } from '../src/boot-error.ts'
import { createEntrance, type Entrance, type EntranceSettings } from '../src/http/entrance/entrance.ts'
import { warnOfUnbelieved } from '../src/http/listener/unbelieved.ts'
import type { AppEnv } from '../src/http/route.ts'
import type { Hooks } from '../src/kernel/control-plane.ts'
import type { Logger } from '../src/log.ts'
import { refusalDocument } from '../views/router/refusal-page.tsx'

interface Taker<H extends 'take-connection' | 'take-request' | 'take-upgrade'> {
  plugin: string
  answer: Hooks[H]
}

/** The listening side of the control plane. Each request goes to the plugin that takes it, or else to the pages. */
export function createFront(options: {
  app: Hono<AppEnv>
  site: Site
  log: Logger
  takeConnection: readonly Taker<'take-connection'>[]
  takeRequest: readonly Taker<'take-request'>[]
  takeUpgrade: readonly Taker<'take-upgrade'>[]
  settings: EntranceSettings
}): Entrance {
  const { app, site, log, takeConnection, takeRequest, takeUpgrade } = options
  /** Returns whether a plugin took it. When a plugin throws, only the connection in question is closed. */
  const offer = <T extends { plugin: string }>(
    socket: Duplex,
    takers: readonly T[],
    ask: (taker: T) => boolean,
  ) =>
    takers.some(taker => {
      try {
        return ask(taker)
      } catch (error) {
        log.error({ err: error, plugin: taker.plugin }, 'failed to take a request')
        socket.destroy()
        return true
      }
    })
  const answer = getRequestListener(app.fetch as (request: Request, env: unknown) => Promise<Response>, {
    overrideGlobalObjects: false,
  })
  const warn = warnOfUnbelieved(site, log)
  const take = (request: IncomingMessage, response: ServerResponse) =>
    offer(request.socket, takeRequest, taker => taker.answer(request, response))
  return createEntrance(options.settings, {
    log,
    bodyRate: site.bodyRate,
    page: refusalDocument(site.brand),
    connection: (socket, encrypted) => takeConnection.every(taker => taker.answer(socket, encrypted)),
    answer: (request, response) => {
      warn(request)
      if (!take(request, response)) void answer(request, response)
    },
    expect: (request, response) => {
      if (take(request, response)) return
      response.writeContinue()
      void answer(request, response)
    },
    upgrade: (request, socket, head) =>
      offer(socket, takeUpgrade, taker => taker.answer(request, socket, head)),
    // Load balancers and uptime checks ask by IP address, for which there is no certificate.
    plain: (request, response) => {
      if (labelOf(site, request.headers.host ?? '') !== null || !asksForHealth(request)) return false
      void answer(request, response)
      return true
    },
  })
}

/** Where the site is reached, and how. Throws a BootError when no plugin says where its certificates are. */
export function entranceSettings(
  site: Site,
  source: ReturnType<Hooks['certificate-source']> | undefined,
): EntranceSettings {
  const { host, port, tls, publicUrl, proxyProtocol } = site
  if (!tls) return { host, port, secure: null, proxyProtocol }
  if (!source) throw new BootError(['TLS_MODE: no plugin says where the certificates are'])
  const publicPort = tls.port === 0 ? 0 : Number(publicUrl?.port || 443)
  return { host, port, secure: { ...source, port: tls.port, publicPort }, proxyProtocol }
}

function asksForHealth({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && (url === '/health' || url.startsWith('/health?'))
}

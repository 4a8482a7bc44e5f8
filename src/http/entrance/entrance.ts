import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { Server, type Socket } from 'node:net'
import type { Logger } from '../../log.ts'
import { serveStreams } from '../http2/serve.ts'
import { createListener, type ListenerOptions } from '../listener/listener.ts'
import { type Closing, lastWordsMs, listenOn, serveConnections } from '../listener/server.ts'
import { createAcceptor, nameClient } from '../proxy-protocol/acceptor.ts'
import type { Client } from '../proxy-protocol/header.ts'
import { type CertificateSource, CertificateStore } from '../tls/certificate-store.ts'
import { redirectToHttps } from '../tls/redirect.ts'
import { createSecureListener } from '../tls/secure-listener.ts'

/** Where to listen and what to speak there: plain data, so that another process can do it. */
export interface EntranceSettings {
  host: string
  /** For HTTP. */
  port: number
  /** For HTTPS; null for none. */
  secure: SecureSettings | null
  /** Addresses and ranges of proxies that begin each connection with the PROXY protocol. */
  proxyProtocol: readonly string[]
}

export interface SecureSettings {
  port: number
  /** The port that people see; where `port` is 0, the one that the system chose. */
  publicPort: number
  certificates: CertificateSource
  /** A folder of answers to a certificate authority's challenges; null for none. */
  challenges: string | null
}

export interface EntranceOptions extends ListenerOptions {
  log: Logger
  /** Serves a request over plain HTTP that needs no HTTPS; false for all others, which are redirected. */
  plain(request: IncomingMessage, response: ServerResponse): boolean
}

export interface Entrance {
  /** What has to listen, and where. A process that is handed a listening socket has `server` listen on that. */
  doors: readonly Door[]
  /** Listens everywhere, and returns the ports. Throws a BootError if it cannot. */
  open(): Promise<{ port: number; securePort: number | null }>
  /** Why certificates cannot be used here, in words that begin with the file. */
  certificateFaults(): readonly string[]
  /**
   * Stops listening while others accept at the same addresses: requests that come on open connections are answered, and each
   * answer is the last one on its connection. Resolves when only answers in progress and upgraded connections are left.
   */
  handOver(): Promise<void>
  /**
   * Stops listening. Answers in progress may end within the grace period, and upgraded connections stay until `drain` has
   * ended them; all other connections close at once.
   */
  close(how?: Closing): Promise<void>
}

export interface Door {
  name: 'http' | 'https'
  server: Server
  host: string
  port: number
  /** The setting that names the port. */
  setting: string
}

/** The listening side of the edge: HTTP, and with certificates HTTPS, to which HTTP then leads. */
export function createEntrance(settings: EntranceSettings, options: EntranceOptions): Entrance {
  const { host, port, secure, proxyProtocol } = settings
  const { log } = options
  const { connection, ...rest } = options
  // Connections of HTTPS are asked about before TLS, and not again when they turn out to speak HTTP/1.1.
  const main = createListener(secure ? rest : options)
  const served = [main]
  const store = secure && new CertificateStore(secure.certificates, log)
  const tls =
    store &&
    createSecureListener({
      store,
      admit: socket => connection?.(socket, true) ?? true,
      http1: main,
      http2: serveStreams(options),
    })
  const accepted = (take: Take): Server => {
    const refused = (peer: string, fault: string) =>
      log.warn({ peer, fault }, 'connection of a proxy refused')
    return createAcceptor({ proxies: proxyProtocol, take, refused })
  }
  let plain = main
  if (secure) {
    const httpsPort = () => secure.publicPort || portOf(secureDoor?.server)
    const answer = redirectToHttps({ httpsPort, challenges: secure.challenges, serve: options.plain })
    plain = createListener({ ...options, answer, expect: answer, upgrade: () => false })
    served.push(plain)
  }
  const doors: Door[] = [
    {
      name: 'http',
      server: proxyProtocol.length === 0 ? plain : accepted(giveTo(plain)),
      host,
      port,
      setting: 'LONGHOUSE_PORT',
    },
  ]
  const secureDoor: Door | null = tls && {
    name: 'https',
    server: accepted(tls.accept),
    host,
    port: secure?.port ?? 0,
    setting: 'TLS_PORT',
  }
  if (secureDoor) doors.push(secureDoor)
  const following = served.map(serveConnections)
  const connections = new Set<Socket>()
  for (const { server } of doors) {
    server.on('connection', (socket: Socket) => {
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
    })
  }
  return {
    doors,
    certificateFaults: () => store?.all.flatMap(({ fault }) => fault ?? []) ?? [],
    open: async () => {
      const ports: number[] = []
      for (const door of doors) ports.push(await listenOn(door.server, door))
      const [first = 0, second = null] = ports
      return { port: first, securePort: second }
    },
    handOver: async () => {
      // The close of an HTTP server would cut connections on which a request may be on its way.
      for (const { server } of doors) Server.prototype.close.call(server)
      tls?.drain()
      await Promise.all(following.map(each => each.dropQuiet(quietMs)))
    },
    close: async ({ graceMs = 5000, drain } = {}) => {
      const closed = doors.map(({ server }) => new Promise(resolve => server.close(resolve)))
      for (const each of following) each.dropSilent()
      tls?.drain()
      const dropAll = () => {
        for (const socket of connections) socket.destroy()
      }
      const timer = setTimeout(dropAll, graceMs + (drain ? lastWordsMs : 0))
      await drain?.()
      for (const each of following) each.dropUpgraded()
      await Promise.all(closed)
      clearTimeout(timer)
      tls?.stop()
    },
  }
}

/** How long a connection may be quiet before no request is on its way any longer. */
const quietMs = 1000

type Take = (socket: Socket, client: Client | null) => void

/** Has an HTTP server serve a connection, as one of the client that a proxy named. */
function giveTo(server: HttpServer): Take {
  return (socket, client) => {
    if (client) nameClient(socket, client)
    server.emit('connection', socket)
  }
}

function portOf(server: Server | undefined): number {
  const address = server?.address()
  return typeof address === 'object' && address ? address.port : 443
}

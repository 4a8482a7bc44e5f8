import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { openSession, type Session } from '../http2/session.ts'
import { headMs, idle } from '../listener/listener.ts'
import type { Problem } from '../problem.ts'
import { nameClient } from '../proxy-protocol/acceptor.ts'
import type { Client } from '../proxy-protocol/header.ts'
import { type Certificate, minVersion } from './certificate.ts'
import type { CertificateStore } from './certificate-store.ts'

export interface SecureOptions {
  store: CertificateStore
  /** Asked for each new connection, before TLS begins on it. After false it is closed. */
  admit(socket: Socket): boolean
  /** Serves the connections of clients that speak HTTP/1.1. */
  http1: HttpServer
  /** Serves the requests of clients that speak HTTP/2. */
  http2: {
    request(request: IncomingMessage, response: ServerResponse): void
    refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void
  }
}

/** How long a client may take to agree on a connection. */
const handshakeMs = 10_000
/** How soon a changed certificate is used. */
const refreshMs = 2000

export interface SecureListener {
  /** Takes a connection that a server accepted; `client` is who a proxy says it is from. */
  accept(socket: Socket, client: Client | null): void
  /** Reads the certificates that changed; done every two seconds. */
  refresh(): void
  /** Tells clients of HTTP/2 to send no more requests; those in progress may end. */
  drain(): void
  /** Follows the certificates no longer. */
  stop(): void
}

/** Speaks TLS: HTTP/2 with the clients that offer it, HTTP/1.1 with all others. WebSockets come by HTTP/1.1. */
export function createSecureListener({ store, admit, http1, http2 }: SecureOptions): SecureListener {
  const sessions = new Set<Session>()
  const server = createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion,
    handshakeTimeout: handshakeMs,
    SNICallback: (host, done) => done(null, store.find(host)?.context()),
  })
  /** Whom proxies named, by the other end of their connections: TLS makes a socket of its own around each. */
  const clients = new Map<string, Client>()
  let shown: Certificate | null = null
  const showFallback = () => {
    const { fallback } = store
    if (!fallback || fallback === shown) return
    shown = fallback
    server.setSecureContext({ ...fallback.pem, minVersion })
  }
  const refresh = () => {
    store.refresh()
    showFallback()
  }
  showFallback()
  const timer = setInterval(refresh, refreshMs).unref()
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy())
    const client = clients.get(peerOf(socket))
    if (client) nameClient(socket, client)
    if (socket.alpnProtocol !== 'h2') {
      http1.emit('connection', socket)
      return
    }
    const session = openSession(socket, { ...http2, idleMs: idle.serverMs, headMs })
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return {
    accept: (socket, client) => {
      if (client) {
        const peer = peerOf(socket)
        clients.set(peer, client)
        socket.once('close', () => clients.delete(peer))
        nameClient(socket, client)
      }
      // The handshake and HTTP/2 cost more than a request: a client beyond its limit gets neither.
      if (!admit(socket)) {
        socket.on('error', () => undefined)
        socket.destroy()
        return
      }
      server.emit('connection', socket)
    },
    refresh,
    drain: () => {
      for (const session of sessions) session.close()
    },
    stop: () => clearInterval(timer),
  }
}

function peerOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BootError } from '../../boot-error.ts'
import { answering, follow } from './answering.ts'

/** Starts to listen and returns the port; throws a BootError if it cannot. */
export async function openServer(server: Server, at: { host: string; port: number }): Promise<number> {
  connections.set(server, followConnections(server))
  return listenOn(server, { ...at, setting: 'LONGHOUSE_PORT' })
}

/** Starts to listen and returns the port; throws a BootError if it cannot. `setting` names the port. */
export async function listenOn(
  server: NetServer,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new BootError([listenFault(error.code ?? error.message, { host, port, setting })]))
    })
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Says why a program cannot listen at an address, by the code of the error. `setting` names the port. */
export function listenFault(
  code: string,
  { host, port, setting }: { host: string; port: number; setting: string },
): string {
  const at = `${host}:${port}`
  const faults: Record<string, string> = {
    EADDRINUSE: `${setting}: something else listens on ${at}; stop it or choose another port`,
    EACCES: `${setting}: this user may not listen on ${at}; choose a port from 1024 on, or allow it (see “Port 80” in docs/operate/proxy.md)`,
    EADDRNOTAVAIL: `LONGHOUSE_HOST: ${host} is not an address of this machine`,
    ENOTFOUND: `LONGHOUSE_HOST: ${host} is not known; give an address of this machine such as 127.0.0.1`,
  }
  return faults[code] ?? `${setting}: cannot listen on ${at} (${code})`
}

/** Starts to listen at the path of a socket, or on a bound one that was inherited. */
export async function listenAt(server: NetServer, at: { path: string } | { fd: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, resolve)
  })
}

export interface Closing {
  /** How long responses in progress may take. */
  graceMs?: number
  /** Ends what does not end by itself, upgraded connections among it. */
  drain?(): Promise<unknown>
}

/** What is sent at the very end of the grace period gets this long to arrive. */
export const lastWordsMs = 1000

/**
 * Stops listening. Responses in progress may end within the grace period, and upgraded connections stay until `drain` has
 * ended them. All other connections close at once.
 */
export async function closeServer(server: Server, { graceMs = 5000, drain }: Closing = {}): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve))
  connections.get(server)?.dropSilent()
  const timer = setTimeout(() => connections.get(server)?.dropAll(), graceMs + (drain ? lastWordsMs : 0))
  await drain?.()
  connections.get(server)?.dropUpgraded()
  await closed
  clearTimeout(timer)
}

/**
 * Has an HTTP server take the connections that other servers accept and emit at it. Its limits hold from now on, too: node
 * looks after slow heads once a server listens.
 */
export function serveConnections(server: Server): Connections {
  server.emit('listening')
  const following = followConnections(server)
  return {
    ...following,
    dropSilent: () => {
      server.close(() => undefined)
      following.dropSilent()
    },
  }
}

interface Connections {
  /**
   * Makes each response the last one on its connection. A connection without a request stays for `quietMs`, because one may be
   * on its way. Resolves when only responses in progress and upgraded connections are left.
   */
  dropQuiet(quietMs: number): Promise<void>
  /** Closes connections without a response in progress, and the others once theirs is sent. Upgraded ones stay. */
  dropSilent(): void
  dropUpgraded(): void
  dropAll(): void
}

const connections = new WeakMap<Server, Connections>()

/**
 * Node's own `closeIdleConnections` skips connections without a request so far, which browsers keep ready, upgraded
 * ones, and those whose response ends after the call.
 */
function followConnections(server: Server): Connections {
  const sockets = new Set<Socket>()
  const upgraded = new WeakSet<Duplex>()
  let closing = false
  let handingOver = false
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const closeAfter = (socket: Socket, response: ServerResponse) =>
    response.once('close', () => {
      if (answering(socket).every(other => other === response)) socket.destroySoon()
    })
  const onRequest = ({ socket }: IncomingMessage, response: ServerResponse) => {
    follow(response)
    if (closing) closeAfter(socket, response)
    if (handingOver) response.shouldKeepAlive = false
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  // A server without a listener would accept upgrades because of this one.
  if (server.listenerCount('upgrade') > 0)
    server.on('upgrade', (_: IncomingMessage, socket: Duplex) => upgraded.add(socket))
  return {
    dropQuiet: async quietMs => {
      handingOver = true
      const isQuiet = (socket: Socket) => answering(socket).length === 0 && !upgraded.has(socket)
      for (let left: Socket[] = [...sockets]; left.length > 0; ) {
        await new Promise(resolve => setTimeout(resolve, quietMs))
        // What is quiet at two looks in a row was quiet for so long.
        for (const socket of left) if (isQuiet(socket)) socket.destroy()
        left = [...sockets].filter(isQuiet)
      }
    },
    dropSilent: () => {
      closing = true
      for (const socket of sockets) {
        const responses = answering(socket)
        if (responses.length === 0 && !upgraded.has(socket)) socket.destroy()
        for (const response of responses) closeAfter(socket, response)
      }
    },
    dropUpgraded: () => {
      for (const socket of sockets) if (upgraded.has(socket)) socket.destroy()
    },
    dropAll: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

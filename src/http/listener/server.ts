import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { BootError } from '../../boot-error.ts'

/** Starts to listen and returns the port; throws a BootError if it cannot. */
export async function openServer(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<number> {
  connections.set(server, followConnections(server))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const at = `${host}:${port}`
      const { code = error.message } = error
      const faults: Record<string, string> = {
        EADDRINUSE: `LONGHOUSE_PORT: something else listens on ${at}; stop it or choose another port`,
        EACCES: `LONGHOUSE_PORT: this user may not listen on ${at}; choose a port from 1024 on, or allow it (see “Port 80” in docs/operate/proxy.md)`,
        EADDRNOTAVAIL: `LONGHOUSE_HOST: ${host} is not an address of this machine`,
        ENOTFOUND: `LONGHOUSE_HOST: ${host} is not known; give an address of this machine such as 127.0.0.1`,
      }
      reject(new BootError([faults[code] ?? `LONGHOUSE_PORT: cannot listen on ${at} (${code})`]))
    })
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Stops listening. Responses in progress may end within `graceMs`; all other connections close at once. */
export async function closeServer(server: Server, graceMs = 5000): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve))
  connections.get(server)?.dropSilent()
  const timer = setTimeout(() => connections.get(server)?.dropAll(), graceMs)
  await closed
  clearTimeout(timer)
}

interface Connections {
  /** Closes connections without a response in progress, and the others once theirs is sent. */
  dropSilent(): void
  dropAll(): void
}

const connections = new WeakMap<Server, Connections>()

/**
 * Node's own `closeIdleConnections` skips connections without a request so far, which browsers keep ready, upgraded
 * ones, and those whose response ends after the call.
 */
function followConnections(server: Server): Connections {
  const answering = new Map<Socket, number>()
  let closing = false
  server.on('connection', (socket: Socket) => {
    answering.set(socket, 0)
    socket.once('close', () => answering.delete(socket))
  })
  const follow = ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (answering.get(socket) ?? 1) - 1
      if (answering.has(socket)) answering.set(socket, left)
      if (closing && left === 0) socket.destroySoon()
    })
  }
  server.on('request', follow)
  server.on('checkContinue', follow)
  return {
    dropSilent: () => {
      closing = true
      for (const [socket, answers] of answering) if (answers === 0) socket.destroy()
    },
    dropAll: () => {
      for (const socket of answering.keys()) socket.destroy()
    },
  }
}

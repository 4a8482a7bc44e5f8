import { createServer, type Server, type Socket } from 'node:net'
import { addressSet, plainAddress } from '../address.ts'
import { type Client, readProxyHeader } from './header.ts'

export interface AcceptorOptions {
  /** Addresses and ranges whose connections must begin with a header. All others are clients themselves. */
  proxies: readonly string[]
  /** Takes each connection, with the client that a header named; null when the connection is the client's own. */
  take(socket: Socket, client: Client | null): void
  /** Tells of a connection that was closed because it did not begin with a header. */
  refused(peer: string, fault: string): void
  /** How long a header may take. */
  headerMs?: number
}

/** Accepts connections that proxies pass on with the PROXY protocol, version 1 or 2. */
export function createAcceptor({ proxies, take, refused, headerMs = 5000 }: AcceptorOptions): Server {
  const trusted = addressSet(proxies)
  return createServer({ noDelay: true }, socket => {
    const peer = plainAddress(socket.remoteAddress ?? '')
    if (!trusted.has(peer)) {
      take(socket, null)
      return
    }
    let bytes: Buffer = Buffer.alloc(0)
    const finish = () => {
      clearTimeout(timer)
      socket.off('readable', read).off('error', drop).off('end', drop)
    }
    const drop = () => {
      finish()
      socket.destroy()
    }
    const refuse = (fault: string) => {
      drop()
      refused(peer, fault)
    }
    const read = () => {
      for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
        bytes = Buffer.concat([bytes, chunk])
        const header = readProxyHeader(bytes)
        if (header.kind === 'partial') continue
        if (header.kind === 'malformed') return refuse(header.fault)
        finish()
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
        take(socket, header.kind === 'client' ? header.client : null)
        return
      }
    }
    const timer = setTimeout(() => refuse('the PROXY header did not arrive in time'), headerMs)
    socket.on('readable', read).on('error', drop).on('end', drop)
    socket.once('close', () => clearTimeout(timer))
  })
}

/** Has a connection say that it is from its client: all who read its address get the client's. */
export function nameClient(socket: Socket, { address, port }: Client): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: address, configurable: true },
    remotePort: { value: port, configurable: true },
    remoteFamily: { value: address.includes(':') ? 'IPv6' : 'IPv4', configurable: true },
  })
}

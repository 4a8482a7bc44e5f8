import { lookup } from 'node:dns/promises'
import { BoundSocket } from 'node:net'
import type { EdgeAddress } from './messages.ts'

/** A socket that is bound here and on which only workers listen: connections wait in it while no worker takes them. */
export interface Bound {
  asked: EdgeAddress
  port: number
  fd: number
  close(): void
}

/** Binding failed at one address. */
export class CannotBind extends Error {
  readonly code: string
  readonly at: EdgeAddress

  constructor(at: EdgeAddress, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${at.host}:${at.port} (${cause.code})`, { cause })
    this.code = cause.code ?? 'unknown'
    this.at = at
  }
}

/** Binds an address. Throws CannotBind. */
export async function bind(at: EdgeAddress): Promise<Bound> {
  try {
    const { address } = await lookup(at.host)
    const socket = new BoundSocket({ host: address, port: at.port })
    const bound = socket.address() as { port: number }
    return { asked: at, port: bound.port, fd: socket.fd(), close: () => socket.close() }
  } catch (error) {
    throw new CannotBind(at, error as NodeJS.ErrnoException)
  }
}

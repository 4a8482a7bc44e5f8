import { lookup } from 'node:dns/promises'
import { BoundSocket } from 'node:net'
import type { EdgeAddress } from './messages.ts'
import type { Orphans } from './orphan.ts'

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

/** Bound sockets that are not in use yet. */
export interface Claim {
  bound: readonly Bound[]
  /** They are in use, and those before them no longer. */
  keep(): void
  /** Lets go of those that are new. */
  drop(): void
}

/** The addresses that a supervisor holds. */
export class Addresses {
  readonly #orphans: Orphans
  #held: readonly Bound[] = []

  constructor(orphans: Orphans) {
    this.#orphans = orphans
  }

  get ports(): number[] {
    return this.#held.map(({ port }) => port)
  }

  /** Binds what is not held. Throws, in words, when an address cannot be had; CannotBind when others have it. */
  async claim(wanted: readonly EdgeAddress[]): Promise<Claim> {
    const fresh: Bound[] = []
    const bound: Bound[] = []
    const drop = () => {
      for (const each of fresh) each.close()
    }
    try {
      for (const at of wanted) {
        // Two addresses may have port 0: each gets a socket of its own.
        const held = this.#held.find(
          each => each.asked.host === at.host && each.asked.port === at.port && !bound.includes(each),
        )
        if (!held) fresh.push(await this.#bindPatiently(at))
        bound.push(held ?? (fresh.at(-1) as Bound))
      }
    } catch (error) {
      drop()
      throw this.#ownFault(error) ?? error
    }
    const keep = () => {
      for (const each of this.#held) if (!bound.includes(each)) each.close()
      this.#held = bound
    }
    return { bound, keep, drop }
  }

  close(): void {
    for (const each of this.#held) each.close()
  }

  /** Workers that lost their supervisor hold the addresses until they have found this one. */
  async #bindPatiently(at: EdgeAddress): Promise<Bound> {
    const start = performance.now()
    for (;;) {
      const beside = this.#orphans.waiting
      try {
        return await bind(at, beside)
      } catch (error) {
        // An older version, and some systems, do not share an address.
        if (beside) this.#orphans.relieve()
        const patienceMs = this.#orphans.met ? 5000 : 1000
        const taken = error instanceof CannotBind && error.code === 'EADDRINUSE'
        if (!taken || performance.now() - start > patienceMs) throw error
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
  }

  /** One host may contain the other, such as 0.0.0.0. */
  #ownFault(error: unknown): Error | null {
    if (!(error instanceof CannotBind) || error.code !== 'EADDRINUSE') return null
    const own = this.#held.find(({ port }) => port === error.at.port)
    if (!own) return null
    const { host, port } = error.at
    return new Error(
      `it still listens on ${own.asked.host}:${port}, and on ${host}:${port} only after a restart; end it with: kill ${process.pid}`,
    )
  }
}

/**
 * Binds an address so that the next supervisor can bind it, too, while workers of this one still listen. With `beside`, it does that
 * itself; without, only when no one else has the address: two programs must not share one unnoticed. Throws CannotBind.
 */
async function bind(at: EdgeAddress, beside: boolean): Promise<Bound> {
  try {
    const { address: host } = await lookup(at.host)
    let { port } = at
    if (!beside) {
      const alone = new BoundSocket({ host, port })
      port = portOf(alone)
      alone.close()
    }
    const socket = new BoundSocket({ host, port, reusePort: process.platform === 'linux' })
    return { asked: at, port: portOf(socket), fd: socket.fd(), close: () => socket.close() }
  } catch (error) {
    throw new CannotBind(at, error as NodeJS.ErrnoException)
  }
}

function portOf(socket: BoundSocket): number {
  return (socket.address() as { port: number }).port
}

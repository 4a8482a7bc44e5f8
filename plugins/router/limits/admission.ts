/** A request's right to be in progress, from `enter` until `release`. */
export interface Permit {
  /** The request's body has arrived, or enough of it that the client means it: from here on it is never evicted. */
  bodyArrived(): void
  release(): void
}

/** `crowded`: others need its place. `stopping`: the program stops. */
export type EvictionReason = 'crowded' | 'stopping'

export interface Candidate {
  /** The client's address, as limits count it. */
  client: string
  /** True until the request's body has arrived. */
  bodyPending: boolean
  /** Refuses the request after all; its permit has been released already. */
  evict(why: EvictionReason): void
}

/**
 * Limits the requests to one instance, waiting and in progress together, in all and per client. A request beyond a limit
 * evicts the one whose body has been arriving for longest. An honest body arrives within moments, so a client that
 * sends a thousand slow ones only competes with itself.
 */
export class Admission {
  readonly #perClient: number
  readonly #instances = new Map<string, InstanceLoad>()

  #size = 0

  constructor({ perClient }: { perClient: number }) {
    this.#perClient = perClient
  }

  /** Requests to all instances that have a permit. */
  get size(): number {
    return this.#size
  }

  /** Refuses every request whose body has not arrived. */
  evictPending(): void {
    for (const load of [...this.#instances.values()]) while (evictOldest(load, 'stopping'));
  }

  /** Admits a request. When a limit is reached and nothing can be evicted, returns whose: the client's, or the instance's. */
  enter(subdomain: string, candidate: Candidate, perInstance: number): Permit | 'client' | 'instance' {
    let instance = this.#instances.get(subdomain)
    if (!instance) {
      instance = { ...newLoad(), clients: new Map() }
      this.#instances.set(subdomain, instance)
    }
    const { clients } = instance
    let client = clients.get(candidate.client)
    if (client && client.size >= this.#perClient && !evictOldest(client)) return 'client'
    if (instance.size >= perInstance && !evictOldest(instance)) return 'instance'

    // Evicting the last request deleted these entries.
    client = clients.get(candidate.client) ?? newLoad()
    clients.set(candidate.client, client)
    this.#instances.set(subdomain, instance)
    const pending: PendingRequest = { evict: why => candidate.evict(why), release: () => release() }
    this.#size++
    instance.size++
    client.size++
    if (candidate.bodyPending) {
      instance.pending.add(pending)
      client.pending.add(pending)
    }
    const bodyArrived = () => {
      instance.pending.delete(pending)
      client.pending.delete(pending)
    }
    let released = false
    const release = () => {
      if (released) return
      released = true
      bodyArrived()
      this.#size--
      if (--client.size === 0) clients.delete(candidate.client)
      if (--instance.size === 0) this.#instances.delete(subdomain)
    }
    return { bodyArrived, release }
  }
}

interface Load {
  size: number
  /** Requests whose bodies have not arrived yet, oldest first. */
  pending: Set<PendingRequest>
}

interface InstanceLoad extends Load {
  clients: Map<string, Load>
}

interface PendingRequest {
  evict(why: EvictionReason): void
  release(): void
}

const newLoad = (): Load => ({ size: 0, pending: new Set() })

function evictOldest({ pending }: Load, why: EvictionReason = 'crowded'): boolean {
  const oldest = pending.values().next().value
  if (!oldest) return false
  oldest.release()
  oldest.evict(why)
  return true
}

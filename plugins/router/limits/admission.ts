/** A request's right to be in progress, from `enter` until `release`. */
export interface Permit {
  /** The request's body has arrived, or enough of it that the client means it: from here on it is not evicted for that. */
  bodyArrived(): void
  /** The answer is complete here and the client has not taken all of it: from here on it may be evicted. */
  unread(): void
  release(): void
}

/** `crowded`: others need its place. `stopping`: the program stops. */
export type EvictionReason = 'crowded' | 'stopping'

export interface Candidate {
  /** The client's address, as limits count it. */
  client: string
  /** True until the request's body has arrived. */
  bodyPending: boolean
  /** Refuses the request after all, or cuts its answer; its permit has been released already. */
  evict(why: EvictionReason): void
}

/**
 * Limits the requests to one instance, waiting and in progress together, in all and per client. A request beyond a limit
 * evicts the one that has waited for its client for longest: for its body, or to have the end of its answer read. Honest
 * clients do both within moments, so one that sends a thousand slow bodies or reads no answers only competes with itself.
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

  /** Refuses every request whose body has not arrived, and cuts answers that are not read. */
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
    const settle = () => {
      instance.pending.delete(pending)
      client.pending.delete(pending)
    }
    let released = false
    let isUnread = false
    const bodyArrived = () => {
      if (!isUnread) settle()
    }
    const unread = () => {
      if (released) return
      isUnread = true
      // It waits since now.
      settle()
      instance.pending.add(pending)
      client.pending.add(pending)
    }
    const release = () => {
      if (released) return
      released = true
      settle()
      this.#size--
      if (--client.size === 0) clients.delete(candidate.client)
      if (--instance.size === 0) this.#instances.delete(subdomain)
    }
    return { bodyArrived, unread, release }
  }
}

interface Load {
  size: number
  /** Requests that wait for their clients: whose bodies have not arrived, or whose answers are not read. Oldest first. */
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

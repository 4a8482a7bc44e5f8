/** A request that is let in, for as long as it takes. */
export interface Place {
  /** Its body has come in, or so much of it that the client means it: it is not turned away any more. */
  settle(): void
  /** Gives the place up. */
  leave(): void
}

export interface Guest {
  /** The client's address, as limits count it. */
  client: string
  /** True while its body has not come in yet. */
  arriving: boolean
  /** Refuses it after all; its place is somebody else's already. */
  turnAway(): void
}

/**
 * How many requests there may be for one instance, waiting and in progress together, and how many of them from one
 * client. Where one would be too many, it takes the place of the one whose body has been coming in for longest: an
 * honest body is there within moments, so somebody who sends a thousand slow ones only competes with himself.
 */
export class Admission {
  readonly #perClient: number
  readonly #perInstance: number
  readonly #instances = new Map<string, { size: number; arriving: Set<Seat>; clients: Map<string, Crowd> }>()

  constructor(limits: { perClient: number; perInstance: number }) {
    this.#perClient = limits.perClient
    this.#perInstance = limits.perInstance
  }

  /** Null when there is no place for it. */
  enter(subdomain: string, guest: Guest): Place | null {
    let instance = this.#instances.get(subdomain)
    if (!instance) {
      instance = { size: 0, arriving: new Set(), clients: new Map() }
      this.#instances.set(subdomain, instance)
    }
    const { arriving, clients } = instance
    let crowd = clients.get(guest.client)
    if (crowd && crowd.size >= this.#perClient && !turnAwayOldest(crowd.arriving)) return null
    if (instance.size >= this.#perInstance && !turnAwayOldest(arriving)) return null

    // The last one to leave took it along.
    crowd = clients.get(guest.client) ?? { size: 0, arriving: new Set() }
    clients.set(guest.client, crowd)
    this.#instances.set(subdomain, instance)
    const seat: Seat = { turnAway: () => guest.turnAway(), leave: () => leave() }
    instance.size++
    crowd.size++
    if (guest.arriving) {
      arriving.add(seat)
      crowd.arriving.add(seat)
    }
    const settle = () => {
      arriving.delete(seat)
      crowd.arriving.delete(seat)
    }
    let left = false
    const leave = () => {
      if (left) return
      left = true
      settle()
      if (--crowd.size === 0) clients.delete(guest.client)
      if (--instance.size === 0) this.#instances.delete(subdomain)
    }
    return { settle, leave }
  }
}

interface Crowd {
  size: number
  arriving: Set<Seat>
}

interface Seat {
  turnAway(): void
  leave(): void
}

function turnAwayOldest(arriving: Set<Seat>): boolean {
  const oldest = arriving.values().next().value
  if (!oldest) return false
  oldest.leave()
  oldest.turnAway()
  return true
}

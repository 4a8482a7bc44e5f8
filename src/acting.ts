import { AsyncLocalStorage } from 'node:async_hooks'

export const principalKinds = ['operator', 'token', 'owner', 'billing', 'timer', 'visitor'] as const

/** Who acts: a person, a script, or the program itself. */
export interface Principal {
  kind: (typeof principalKinds)[number]
  /** An id that stays: of an account, of a token, the name of a task. */
  id: string
  /** Its name for people; '' for an owner, whose email address may have to be forgotten. */
  name: string
}

/** One request or one round of a task, in which someone acts. */
export interface Occasion {
  /** Asked when it is needed: a sign-in learns it on the way. */
  principal(): Principal
  /** The route or the task: `POST /admin/instances/{subdomain}/start`, `task provisioner:retention`. */
  via: string
  /** The address that the request came from, behind trusted proxies; null without a request. */
  address: string | null
  requestId: string | null
  /** How many changes were recorded in it. */
  recorded: number
}

const occasions = new AsyncLocalStorage<Occasion>()

/** Does work in an occasion. What the work starts and does not wait for is in it as well, unless it runs `apart`. */
export function inOccasion<T>(occasion: Occasion, work: () => T): T {
  return occasions.run(occasion, work)
}

/** Does work that serves more than the request that asked for it, outside of every occasion. */
export function apart<T>(work: () => T): T {
  return occasions.exit(work)
}

/** Does work as a part of the program, in an occasion of its own. */
export function actingAs<T>(principal: Principal, work: () => T): T {
  const via = occasions.getStore()?.via ?? `task ${principal.id}`
  return inOccasion({ principal: () => principal, via, address: null, requestId: null, recorded: 0 }, work)
}

/** The occasion at hand; null outside of all. */
export function currentOccasion(): Occasion | null {
  return occasions.getStore() ?? null
}

/** Who acts at the moment; null outside of all occasions. */
export function currentPrincipal(): Principal | null {
  return currentOccasion()?.principal() ?? null
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Kind =
  | 'customer'
  | 'deleted_customer'
  | 'subscription'
  | 'checkout.session'
  | 'invoice'
  | 'billing_portal.session'
  | 'event'
  | 'price'
  | 'charge'
  | 'dispute'

/** Stripe's own examples of what it answers, one of each kind; the file says where they are from. */
export const published: { source: string; resources: Record<Kind, Record<string, unknown>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'published-examples.json'), 'utf8'),
)

/** An object as Stripe's example has it, with what matters here in its place. */
export const like = <T extends object>(kind: Kind, fields: T): T => ({
  ...structuredClone(published.resources[kind]),
  ...fields,
})

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

/** Stripe's published examples of responses, one per kind; the file names their source. */
export const published: { source: string; resources: Record<Kind, Record<string, unknown>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'published-examples.json'), 'utf8'),
)

/** An object like Stripe's example, with the given fields. */
export const like = <T extends object>(kind: Kind, fields: T): T => ({
  ...structuredClone(published.resources[kind]),
  ...fields,
})

import type { Role } from '../../src/http/route.ts'

/** An API token of the operators, without its secret. Times are milliseconds since the epoch. */
export interface Token {
  id: string
  name: string
  role: Role
  /** The only instances that it is for, by id, each with the subdomain of then; null for all. */
  instances: readonly { id: string; subdomain: string }[] | null
  /** The first characters, to recognise it by. */
  hint: string
  createdAt: number
  /** Who created it, in words. */
  createdBy: string
  /** Null when it does not expire. */
  expiresAt: number | null
  /** Updated once a minute at most. */
  lastUsedAt: number | null
  lastUsedFrom: string | null
}

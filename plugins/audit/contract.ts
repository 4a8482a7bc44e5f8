import type { Principal } from '../../src/acting.ts'

export const auditResults = ['accepted', 'done', 'refused', 'failed', 'superseded'] as const
/** How it went: `accepted` is work that goes on after the answer; its end is an entry of its own, `superseded` when newer work took its place. */
export type AuditResult = (typeof auditResults)[number]

/** One entry of the audit log. */
export interface AuditEntry {
  /** Counts up from 1 without a gap. */
  seq: number
  at: number
  principal: Principal
  /** Where the request came from; null for what the program did by itself. */
  address: string | null
  /** What was done: the kind of change of an instance or of access, otherwise the route. */
  action: string
  /** The route, the task, or `operation` for the end of one. */
  via: string
  /** What it was done to: a subdomain, a name; '' if the action needs none. */
  target: string
  instanceId: string | null
  operationId: string | null
  result: AuditResult
  /** The status of the answer; null without a request, and for what was recorded before the answer. */
  status: number | null
  detail: string
  requestId: string | null
  previousHash: string
  hash: string
}

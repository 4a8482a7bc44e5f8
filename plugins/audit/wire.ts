import { z } from 'zod'
import { principalKinds } from '../../src/acting.ts'
import { timestamp } from '../../src/clock.ts'
import { type AuditEntry, auditResults } from './contract.ts'

export const entrySchema = z
  .object({
    seq: z.int(),
    at: z.iso.datetime(),
    actor: z.object({
      kind: z.enum(principalKinds),
      id: z.string(),
      name: z.string().meta({ description: 'For an owner: the email address that the account has now' }),
    }),
    address: z.string().nullable().meta({ description: 'Where the request came from' }),
    action: z.string(),
    via: z.string().meta({ description: 'The route, the task, or “operation” for the end of one' }),
    target: z.string(),
    instance_id: z.string().nullable(),
    operation_id: z.string().nullable(),
    result: z.enum(auditResults),
    status: z.int().nullable(),
    detail: z.string(),
    request_id: z.string().nullable(),
    previous_hash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' })
export type WireEntry = z.infer<typeof entrySchema>

export const verificationSchema = z.object({
  entries: z.int().meta({ description: 'How many entries are in order, from the first one on' }),
  head: z.object({ seq: z.int(), hash: z.string() }).nullable(),
  broken: z
    .object({ seq: z.int(), reason: z.string() })
    .nullable()
    .meta({ description: 'The first entry that is missing or was changed; null when there is none' }),
})

/** `nameOf` gives the email address of an owner's account. */
export function wireEntry(entry: AuditEntry, nameOf: (accountId: string) => string): WireEntry {
  const { seq, at, principal, address, action, via, target, result, status, detail, hash } = entry
  return {
    seq,
    at: timestamp(at),
    actor: principal.kind === 'owner' ? { ...principal, name: nameOf(principal.id) } : { ...principal },
    ...{ address, action, via, target },
    instance_id: entry.instanceId,
    operation_id: entry.operationId,
    ...{ result, status, detail },
    request_id: entry.requestId,
    previous_hash: entry.previousHash,
    hash,
  }
}

const columns = [
  ...['seq', 'at', 'actor_kind', 'actor_id', 'actor_name', 'address', 'action', 'via', 'target'],
  ...['instance_id', 'operation_id', 'result', 'status', 'detail', 'request_id', 'previous_hash', 'hash'],
]

export const csvHead = `${columns.join(',')}\r\n`

export function csvLine({ actor, ...entry }: WireEntry): string {
  const values: Record<string, unknown> = {
    ...entry,
    ...{ actor_kind: actor.kind, actor_id: actor.id, actor_name: actor.name },
  }
  return `${columns.map(column => csvField(values[column])).join(',')}\r\n`
}

/** Quoted as in RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

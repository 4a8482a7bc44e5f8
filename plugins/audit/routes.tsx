import { ReadableStream } from 'node:stream/web'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { numberField, optionalNumberField } from '../../src/http/json-schema.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import { AuditPage } from '../../views/operator/access/audit-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { Verification } from './chain.ts'
import type { AuditFilter, AuditLog } from './log.ts'
import { csvHead, csvLine, entrySchema, verificationSchema, wireEntry } from './wire.ts'

const path = '/admin/audit'
const words = z
  .string()
  .trim()
  .max(300)
  .transform(text => text || undefined)
  .optional()
const moment = (edge: 'from' | 'to') =>
  z
    .string()
    .trim()
    .refine(
      text => text === '' || timeOf(text, edge) !== null,
      'must be a day or a time such as 2026-01-31 or 2026-01-31T08:00:00Z',
    )
    .transform(text => timeOf(text, edge) ?? undefined)
    .optional()
    .meta({
      description:
        edge === 'from' ? 'From this day or time on' : 'Before this time, or up to the end of this day (UTC)',
    })

const filters = z.object({
  instance: words.meta({ description: 'A subdomain or an instance’s id' }),
  actor: words.meta({ description: 'The kind, id or name of who acted: `billing`, `the admin token`' }),
  action: words.meta({ description: 'What was done: `purge`, `POST /admin/alerts/silences`' }),
  from: moment('from'),
  to: moment('to'),
})

/** The audit log, for the operator: list, export, check. */
export function auditRoutes(parts: {
  admin: Guard
  audit: AuditLog
  clock: Clock
  /** The email address of an owner's account, or its id. */
  ownerName(accountId: string): string
  /** What the last check found; null before the first. */
  lastVerification(): (Verification & { at: number }) | null
}): Route[] {
  const { admin, audit, clock, ownerName, lastVerification } = parts
  return [
    route({
      method: 'get',
      path,
      summary: 'Who did what, newest first',
      guard: admin,
      role: 'read',
      query: filters.extend({
        limit: numberField(1, 500, 50),
        cursor: optionalNumberField(1, 999_999_999_999).meta({
          description: 'Continues after the last entry of a page: its `next_cursor`',
        }),
      }),
      answers: {
        200: {
          description: 'The entries',
          schema: z.object({ entries: z.array(entrySchema), next_cursor: z.int().nullable() }),
        },
      },
      handle: (c, { query: { limit, cursor, ...filter } }) => {
        const found = audit.list(filter, { limit: limit + 1, before: cursor })
        const entries = found.slice(0, limit)
        const next = found.length > limit ? (entries.at(-1)?.seq ?? null) : null
        if (!wantsPage(c))
          return c.json({ entries: entries.map(each => wireEntry(each, ownerName)), next_cursor: next })
        const typed = Object.fromEntries(
          Object.keys(filters.shape).map(name => [name, c.req.query(name) ?? '']),
        ) as Record<keyof AuditFilter, string>
        const page = (
          <AuditPage
            {...{ entries, ownerName, next, typed }}
            isFirst={cursor === undefined}
            verification={lastVerification()}
            now={clock.now()}
          />
        )
        return c.render(page, operatorFrame('Audit log', path))
      },
    }),
    route({
      method: 'get',
      path: `${path}/export`,
      operation: 'exportAdminAudit',
      summary: 'The audit log as a file, oldest first',
      guard: admin,
      role: 'read',
      query: filters.extend({
        format: z.enum(['jsonl', 'csv'], 'must be jsonl or csv').default('jsonl'),
      }),
      answers: {
        200: { description: 'One entry in each line', type: ['application/jsonl', 'text/csv'] },
      },
      handle: (c, { query: { format, ...filter } }) => {
        const line = format === 'csv' ? csvLine : (entry: object) => `${JSON.stringify(entry)}\n`
        const text = async function* () {
          if (format === 'csv') yield csvHead
          for await (const entry of audit.all(filter)) yield line(wireEntry(entry, ownerName))
        }
        c.header('Content-Type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl')
        c.header('Content-Disposition', `attachment; filename="audit.${format}"`)
        c.header('Cache-Control', 'no-store')
        return c.body(ReadableStream.from(encoded(text())) as never)
      },
    }),
    route({
      method: 'get',
      path: `${path}/verify`,
      operation: 'verifyAdminAudit',
      summary: 'Check that no entry was changed or removed',
      guard: admin,
      role: 'read',
      answers: { 200: { description: 'What the check found', schema: verificationSchema } },
      handle: async c => c.json(await audit.verify(c.req.raw.signal)),
    }),
  ]
}

async function* encoded(text: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const each of text) yield encoder.encode(each)
}

/** Milliseconds since the epoch; null when it cannot be read. A day begins and ends in UTC. */
function timeOf(text: string, edge: 'from' | 'to'): number | null {
  if (z.iso.date().safeParse(text).success) return Date.parse(text) + (edge === 'to' ? 86_400_000 : 0)
  return z.iso.datetime({ offset: true }).safeParse(text).success ? Date.parse(text) : null
}

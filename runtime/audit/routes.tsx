import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { listWindow } from '../../src/http/list-window.ts'
import { actorKinds, type Guard, type Route, route } from '../../src/http/route.ts'
import { AuditPage } from '../../views/instance/settings/audit-page.tsx'
import { show } from '../web/show.ts'
import type { AuditEntry, AuditLog } from './audit-log.ts'

const entryShape = z.object({
  at: z.iso.datetime(),
  actor: z
    .object({ kind: z.enum(actorKinds), name: z.string() })
    .nullable()
    .meta({ description: 'Null for requests without a session or token' }),
  address: z.string(),
  action: z.string().meta({ description: 'Method and path of the request' }),
  summary: z.string(),
  target: z.string(),
  fields: z
    .array(z.string())
    .meta({ description: 'Names of the fields that were sent; their values are not stored' }),
  status: z.int(),
  request_id: z.string(),
})

const shown = 50

export function auditRoutes({
  audit,
  guard,
  clock,
}: {
  audit: AuditLog
  guard: Guard
  clock: Clock
}): Route[] {
  return [
    route({
      method: 'get',
      path: '/settings/audit',
      summary: 'Who did what',
      guard,
      pageOnly: true,
      query: listWindow(shown).pick({ offset: true }),
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: (c, { query: { offset } }) => {
        const list = { ...audit.list({ limit: shown, offset }), limit: shown, offset }
        const content = <AuditPage now={clock.now()} list={list} />
        return show(c, content, { title: 'Audit log', current: '/settings' })
      },
    }),

    route({
      method: 'get',
      path: '/api/audit',
      summary: 'Who did what, newest first',
      guard,
      query: listWindow(shown),
      answers: {
        200: {
          description: 'The entries',
          schema: z.object({ entries: z.array(entryShape), total: z.int() }),
        },
      },
      handle: (c, { query }) => {
        const { entries, total } = audit.list(query)
        return c.json({ entries: entries.map(entryJson), total })
      },
    }),
  ]
}

function entryJson(entry: AuditEntry): z.input<typeof entryShape> {
  const { actorKind, actorName, address, action, summary, target, status } = entry
  return {
    at: timestamp(entry.at),
    actor: actorKind && { kind: actorKind, name: actorName ?? '' },
    address,
    action,
    summary,
    target,
    fields: entry.fields === '' ? [] : entry.fields.split(','),
    status,
    request_id: entry.requestId,
  }
}

import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import { durationMs } from '../../src/kernel/config.ts'
import { nearest } from '../../src/nearest.ts'
import { AlertsPage, OpenAlerts } from '../../views/operator/alerts-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { AlertBook } from './book.ts'
import type { Outbox } from './outbox.ts'
import { noChannel, unknownSilence } from './problems.ts'
import { isSilent } from './round.ts'
import type { Alert, Silence } from './schema.ts'

const path = '/admin/alerts'
const time = z.iso.datetime().nullable()
const mostSilentMs = 90 * 86_400_000

const alertSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    subdomain: z.string().nullable(),
    summary: z.string(),
    detail: z.string(),
    urgency: z.enum(['alert', 'notice']),
    opened_at: z.iso.datetime(),
    notified_at: time.meta({ description: 'When operators were first notified of it' }),
    closed_at: time,
    silent: z.boolean(),
  })
  .meta({ id: 'Alert' })

const silenceSchema = z
  .object({
    id: z.string(),
    kind: z.string().nullable(),
    subdomain: z.string().nullable(),
    until: z.iso.datetime(),
  })
  .meta({ id: 'Silence' })

const silenceBody = z.object({
  kind: z.string().trim().max(100).optional().meta({ description: 'The kind; every kind when left out' }),
  subdomain: z
    .string()
    .trim()
    .max(63)
    .optional()
    .meta({ description: 'The instance; everything when left out' }),
  for: z
    .string()
    .refine(text => {
      const ms = durationMs(text)
      return ms > 0 && ms <= mostSilentMs
    }, 'must be a duration from 1m to 90d, such as 2h')
    .meta({ description: 'How long, such as 2h' }),
})

/** Alerts, for the operator: what is open, what was, silences, and a test. */
export function alertRoutes(parts: {
  admin: Guard
  clock: Clock
  book: AlertBook
  outbox: Outbox
  /** The kinds of alerts that there may be, and the instances that there are. */
  kinds(): readonly string[]
  subdomains(): readonly string[]
  /** Where alerts go, in words. */
  places: readonly string[]
  test(): void
}): Route[] {
  const { admin, clock, book, outbox, places, test } = parts
  const wire = ({ id, kind, subdomain, summary, detail, urgency, ...alert }: Alert) => ({
    ...{ id, kind, subdomain, summary, detail, urgency },
    opened_at: timestamp(alert.openedAt),
    notified_at: timestamp(alert.notifiedAt),
    closed_at: timestamp(alert.closedAt),
    silent: isSilent({ kind, subdomain }, book.silences(), clock.now()),
  })
  const wireSilence = ({ id, kind, subdomain, until }: Silence) => ({
    ...{ id, kind, subdomain },
    until: timestamp(until),
  })
  const done = (c: AppContext) => (wantsPage(c) ? c.redirect(path, 303) : c.body(null, 204))
  return [
    route({
      method: 'get',
      path,
      summary: 'What needs the operator now, what did, and silences',
      guard: admin,
      role: 'read',
      answers: {
        200: {
          description: 'The alerts: open ones oldest first, the others newest first',
          schema: z.object({
            open: z.array(alertSchema),
            closed: z.array(alertSchema),
            silences: z.array(silenceSchema),
            sent_to: z.array(z.string()),
          }),
        },
      },
      handle: c => {
        const [open, closed, silences] = [book.open(), book.closed(), book.silences()]
        if (wantsPage(c) || wantsFragment(c)) {
          const now = clock.now()
          const listed = open.map(alert => ({ ...alert, silent: isSilent(alert, silences, now) }))
          if (wantsFragment(c)) {
            return show(c, <OpenAlerts open={listed} now={now} />, { title: 'Alerts' })
          }
          const { messages } = outbox.list({ limit: 20, offset: 0 })
          const failed = messages.find(({ status }) => status === 'failed') ?? null
          const page = <AlertsPage {...{ now, open: listed, closed, silences, places, failed }} />
          return c.render(page, operatorFrame('Alerts', path))
        }
        return c.json({
          open: open.map(wire),
          closed: closed.map(wire),
          silences: silences.map(wireSilence),
          sent_to: [...places],
        })
      },
    }),
    route({
      method: 'post',
      path: `${path}/silences`,
      summary: 'Send no alerts of a kind, of an instance, or at all, for a time',
      guard: admin,
      role: 'operate',
      body: silenceBody,
      answers: {
        201: { description: 'The silence', schema: silenceSchema },
        303: { description: 'For a browser: back to the list' },
      },
      handle: (c, { body: { for: duration, ...body } }) => {
        const [kind, subdomain] = [body.kind || null, body.subdomain || null]
        refuseUnknown({ kind, subdomain }, parts)
        const silence = book.silence({ kind, subdomain }, durationMs(duration))
        return wantsPage(c) ? c.redirect(path, 303) : c.json(wireSilence(silence), 201)
      },
    }),
    route({
      method: 'post',
      path: `${path}/silences/{id}/end`,
      summary: 'End a silence now',
      guard: admin,
      role: 'operate',
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: {
        204: { description: 'It has ended' },
        303: { description: 'For a browser: back to the list' },
      },
      handle: (c, { params }) => {
        if (!book.endSilence(params.id)) throw unknownSilence(`No silence has the id "${params.id}".`)
        return done(c)
      },
    }),
    route({
      method: 'post',
      path: `${path}/test`,
      summary: 'Send a test alert to every channel',
      guard: admin,
      role: 'operate',
      body: z.object({}),
      answers: {
        204: { description: 'It is queued' },
        303: { description: 'For a browser: back to the list' },
      },
      handle: c => {
        if (places.length === 0)
          throw noChannel(
            'Alerts go nowhere. Set ALERT_EMAIL, ALERT_WEBHOOK_URL, ALERT_SLACK_URL or ALERT_NTFY_URL, and restart the control plane.',
          )
        test()
        return done(c)
      },
    }),
  ]
}

/** A silence of what there is not would silence nothing, and look as if it did. What is open now can always be silenced. */
function refuseUnknown(
  { kind, subdomain }: Pick<Silence, 'kind' | 'subdomain'>,
  {
    book,
    kinds,
    subdomains,
  }: { book: AlertBook; kinds(): readonly string[]; subdomains(): readonly string[] },
): void {
  const open = book.open()
  const known = new Set([...kinds(), ...open.map(alert => alert.kind)])
  const names = new Set([...subdomains(), ...open.flatMap(alert => alert.subdomain ?? [])])
  const errors: FieldError[] = []
  if (kind !== null && !known.has(kind))
    errors.push({ path: 'kind', message: `must be one of ${[...known].toSorted().join(', ')}` })
  if (subdomain !== null && !names.has(subdomain)) {
    const meant = nearest(subdomain, names)
    const hint = meant === null ? '' : `; did you mean "${meant}"?`
    errors.push({ path: 'subdomain', message: `must be an instance: none is called "${subdomain}"${hint}` })
  }
  if (errors.length > 0) throw invalidFields(errors)
}

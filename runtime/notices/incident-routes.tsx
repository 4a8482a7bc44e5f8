import { z } from 'zod'
import { listWindow } from '../../src/http/list-window.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import { NoticesPage } from '../../views/instance/settings/notices-page.tsx'
import { show } from '../web/show.ts'
import type { NoticesWeb } from './notices-web.ts'
import { incidentOver, unknownIncident, unknownMessage } from './problems.ts'
import { incidentJson, incidentShape, messageJson, messageShape } from './wire.ts'

const shownIncidents = 30

/** Incidents, and the messages that were sent about them. */
export function incidentRoutes(web: NoticesWeb): Route[] {
  return [
    showIncidents(web),
    listIncidents(web),
    muteIncident(web, true),
    muteIncident(web, false),
    retryMessage(web),
  ]
}

const showIncidents = (web: NoticesWeb) =>
  route({
    method: 'get',
    path: '/settings/notices',
    summary: 'Incidents and deliveries',
    guard: web.access.signedIn,
    pageOnly: true,
    query: listWindow(50).pick({ offset: true }),
    answers: { 200: { description: 'A page', type: 'text/html' } },
    handle: (c, { query: { offset } }) => {
      const list = { ...web.notices.outbox.list({ limit: 50, offset }), limit: 50, offset }
      const content = (
        <NoticesPage now={web.clock.now()} incidents={web.notices.incidents(shownIncidents)} list={list} />
      )
      return show(c, content, { title: 'Incidents', refresh: 15, current: '/settings' })
    },
  })

const listIncidents = (web: NoticesWeb) =>
  route({
    method: 'get',
    path: '/api/notices',
    summary: 'Incidents, open ones first, and the messages about them, newest first',
    guard: web.access.signedIn,
    query: listWindow(50),
    answers: {
      200: {
        description: 'The incidents and messages',
        schema: z.object({
          incidents: z.array(incidentShape),
          messages: z.array(messageShape),
          total: z.int().meta({ description: 'The number of all messages' }),
        }),
      },
    },
    handle: (c, { query }) => {
      const { messages, total } = web.notices.outbox.list(query)
      return c.json({
        incidents: web.notices.incidents(query.limit).map(incidentJson),
        messages: messages.map(messageJson),
        total,
      })
    },
  })

const muteIncident = (web: NoticesWeb, muted: boolean) =>
  route({
    method: 'post',
    path: `/api/notices/incidents/{id}/${muted ? 'mute' : 'unmute'}`,
    operation: muted ? 'muteIncident' : 'unmuteIncident',
    summary: muted
      ? 'Send nothing more about an open incident'
      : 'Send messages about a muted incident again',
    guard: web.access.mayWrite,
    params: z.object({ id: z.string() }),
    answers: {
      200: { description: 'The incident', schema: incidentShape },
      303: { description: 'For a browser: back to the page' },
      404: { description: 'No such incident' },
      409: { description: 'The incident is over' },
    },
    handle: (c, { params: { id } }) => {
      const incident = web.notices.mute(id, muted)
      if (incident === null) throw unknownIncident(`There is no incident "${id}". Old ones are deleted.`)
      if (incident === 'over')
        throw incidentOver('The incident has recovered; no more messages are sent about it.')
      return wantsPage(c) ? c.redirect('/settings/notices', 303) : c.json(incidentJson(incident))
    },
  })

const retryMessage = (web: NoticesWeb) =>
  route({
    method: 'post',
    path: '/api/notices/{id}/retry',
    operation: 'retryMessage',
    summary: 'Retry a queued or failed message now',
    guard: web.access.mayWrite,
    params: z.object({ id: z.string() }),
    answers: {
      204: { description: 'The message is queued' },
      303: { description: 'For a browser: back to the page' },
    },
    handle: (c, { params: { id } }) => {
      if (!web.notices.retry(id)) throw unknownMessage(`There is no waiting or failed message "${id}".`)
      return wantsPage(c) ? c.redirect('/settings/notices', 303) : c.body(null, 204)
    },
  })

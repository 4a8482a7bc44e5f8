import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { listWindow } from '../../src/http/list-window.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import {
  type NoticeFields,
  NoticeSettingsPage,
  type NoticeSettingsPageProps,
} from '../../views/instance/settings/notice-settings-page.tsx'
import { NoticesPage } from '../../views/instance/settings/notices-page.tsx'
import type { Access } from '../auth/contract.ts'
import { show } from '../web/show.ts'
import { changeOf, fieldsOf, mailFaults, noticeFields } from './form.ts'
import type { Notices } from './notices.ts'
import { incidentOver, noChannel, unknownIncident, unknownMessage } from './problems.ts'
import { incidentJson, incidentShape, messageJson, messageShape, noticeSettingsShape } from './wire.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
const shownIncidents = 30

/** Who is told, by which ways, and what was told. Settings hold credentials, so that reading them needs `write`. */
export function noticeRoutes({
  notices,
  access: { signedIn, mayWrite },
  clock,
}: {
  notices: Notices
  access: Access
  clock: Clock
}): Route[] {
  const { settings, outbox } = notices
  const { mail } = settings

  const settingsPage = (
    c: AppContext,
    props: Partial<Pick<NoticeSettingsPageProps, 'secret' | 'done'>> & {
      typed?: Partial<NoticeFields>
      errors?: readonly FieldError[]
    } = {},
    status = 200,
  ) => {
    const { typed = {}, errors = [], ...rest } = props
    const current = settings.current()
    c.status(status as 200)
    const content = (
      <NoticeSettingsPage
        now={clock.now()}
        fields={{ ...fieldsOf(settings.chosen()), ...typed }}
        errors={errors}
        fromEnvironment={{ smtp: mail.smtpUrl !== '', from: mail.smtpFrom }}
        channels={channelsOf(current)}
        heartbeat={notices.heartbeat()}
        commitStatus={commitStatus()}
        {...rest}
      />
    )
    return show(c, content, { title: 'Notices', current: '/settings' })
  }
  const channelsOf = (current: ReturnType<typeof settings.current>) => ({
    email: current.emailTo !== '' && current.smtpUrl !== '',
    webhook: current.webhookUrl !== '',
    slack: current.slackUrl !== '',
    discord: current.discordUrl !== '',
  })
  const commitStatus = () => notices.commitStatuses.last()
  const settingsJson = () => {
    const { failures_in_a_row: _, ...texts } = fieldsOf(settings.chosen())
    const current = settings.current()
    const beat = notices.heartbeat()
    const status = commitStatus()
    return {
      ...texts,
      failures_in_a_row: current.failuresInARow,
      channels: channelsOf(current),
      heartbeat: beat && { at: timestamp(beat.at), error: beat.error },
      commit_status: status && {
        commit: status.commit,
        state: status.state,
        description: status.description,
        at: timestamp(status.at),
        error: status.error,
      },
    }
  }

  const save = (method: 'post' | 'put') =>
    route({
      method,
      path: '/api/settings/notices',
      operation: method === 'put' ? 'setNoticeSettings' : 'postNoticeSettings',
      summary: 'Change who is told; what is left out stays, and an empty text turns it off',
      guard: mayWrite,
      body: noticeFields,
      answers: {
        200: {
          description: 'The settings; a signing secret that was made for the webhook is told this once',
          schema: noticeSettingsShape.extend({ webhook_secret: z.string().optional() }),
        },
      },
      onInvalid: (c, errors, typed) => settingsPage(c, { typed: textsOf(typed), errors }, 422),
      handle: (c, { body }) => {
        const held = settings.chosen()
        const change = changeOf(body, held)
        const next = { ...held, ...change }
        const counts = next.smtpUrl ? next : { ...mail, smtpFrom: next.smtpFrom || mail.smtpFrom }
        const faults = mailFaults(next, counts)
        if (faults.length > 0) {
          if (!wantsPage(c)) throw invalidFields(faults)
          return settingsPage(c, { typed: { ...fieldsOf(next) }, errors: faults }, 422)
        }
        const { webhookSecret } = settings.save(change)
        const secret =
          webhookSecret !== held.webhookSecret && webhookSecret !== '' ? webhookSecret : undefined
        if (wantsPage(c)) return settingsPage(c, { done: 'saved', secret })
        return c.json({ ...settingsJson(), ...(secret ? { webhook_secret: secret } : {}) })
      },
    })

  const mute = (muted: boolean) =>
    route({
      method: 'post',
      path: `/api/notices/incidents/{id}/${muted ? 'mute' : 'unmute'}`,
      operation: muted ? 'muteIncident' : 'unmuteIncident',
      summary: muted ? 'Tell an open incident no more until it is over' : 'Tell a muted incident again',
      guard: mayWrite,
      params: z.object({ id: z.string() }),
      answers: {
        200: { description: 'The incident', schema: incidentShape },
        303: { description: 'For a browser' },
        404: { description: 'There is no such incident' },
        409: { description: 'It is over' },
      },
      handle: (c, { params: { id } }) => {
        const incident = notices.mute(id, muted)
        if (incident === null) throw unknownIncident(`There is no incident "${id}". Old ones are deleted.`)
        if (incident === 'over') throw incidentOver('It is over already; nothing more is told of it.')
        return wantsPage(c) ? c.redirect('/settings/notices', 303) : c.json(incidentJson(incident))
      },
    })

  return [
    route({
      method: 'get',
      path: '/settings',
      summary: 'Who is told',
      guard: mayWrite,
      pageOnly: true,
      answers: page,
      handle: c => settingsPage(c),
    }),

    route({
      method: 'get',
      path: '/settings/notices',
      summary: 'Incidents and deliveries',
      guard: signedIn,
      pageOnly: true,
      query: listWindow(50).pick({ offset: true }),
      answers: page,
      handle: (c, { query: { offset } }) => {
        const list = { ...outbox.list({ limit: 50, offset }), limit: 50, offset }
        const content = (
          <NoticesPage now={clock.now()} incidents={notices.incidents(shownIncidents)} list={list} />
        )
        return show(c, content, { title: 'Incidents', refresh: 15, current: '/settings' })
      },
    }),

    route({
      method: 'get',
      path: '/api/settings/notices',
      operation: 'getNoticeSettings',
      summary: 'Who is told; the password in `smtp_url` is masked',
      guard: mayWrite,
      answers: { 200: { description: 'The settings', schema: noticeSettingsShape } },
      handle: c => c.json(settingsJson()),
    }),

    save('put'),
    // Forms know no PUT.
    save('post'),

    route({
      method: 'get',
      path: '/api/notices',
      summary: 'Incidents, open ones first, and the messages about them, newest first',
      guard: signedIn,
      query: listWindow(50),
      answers: {
        200: {
          description: 'Some of them',
          schema: z.object({
            incidents: z.array(incidentShape),
            messages: z.array(messageShape),
            total: z.int().meta({ description: 'Of the messages' }),
          }),
        },
      },
      handle: (c, { query }) => {
        const { messages, total } = outbox.list(query)
        return c.json({
          incidents: notices.incidents(query.limit).map(incidentJson),
          messages: messages.map(messageJson),
          total,
        })
      },
    }),

    route({
      method: 'post',
      path: '/api/notices/test',
      summary: 'Send a test to every channel that is set up',
      guard: mayWrite,
      answers: {
        202: { description: 'On its way', schema: z.object({ channels: z.int() }) },
        409: { description: 'No channel is set up' },
      },
      handle: c => {
        const channels = notices.test()
        if (channels === 0) throw noChannel('Set up email, a webhook, Slack or Discord first.')
        return wantsPage(c) ? settingsPage(c, { done: 'tested' }) : c.json({ channels }, 202)
      },
    }),

    mute(true),
    mute(false),

    route({
      method: 'post',
      path: '/api/notices/{id}/retry',
      operation: 'retryMessage',
      summary: 'Attempt a message now that waits or was given up',
      guard: mayWrite,
      params: z.object({ id: z.string() }),
      answers: { 204: { description: 'It is due' }, 303: { description: 'It is due, for a browser' } },
      handle: (c, { params: { id } }) => {
        if (!notices.retry(id))
          throw unknownMessage(`There is no message "${id}" that waits or was given up.`)
        return wantsPage(c) ? c.redirect('/settings/notices', 303) : c.body(null, 204)
      },
    }),
  ]
}

const names = [
  'email_to',
  'smtp_url',
  'smtp_from',
  'webhook_url',
  'slack_url',
  'discord_url',
  'heartbeat_url',
  'failures_in_a_row',
] as const

function textsOf(typed: Record<string, unknown>): Partial<NoticeFields> {
  return Object.fromEntries(
    names.filter(name => typed[name] !== undefined).map(name => [name, String(typed[name])]),
  )
}

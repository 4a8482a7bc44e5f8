import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import {
  type NoticeFields,
  NoticeSettingsPage,
  type NoticeSettingsPageProps,
} from '../../views/instance/settings/notice-settings-page.tsx'
import { show } from '../web/show.ts'
import { changeOf, fieldsOf, mailFaults, noticeFields } from './form.ts'
import type { NoticesWeb } from './notices-web.ts'
import { noChannel } from './problems.ts'
import type { NoticeSettings } from './settings.ts'
import { noticeSettingsShape } from './wire.ts'

/** Who gets notices, and through which channels. The settings contain credentials, so reading them requires `write`. */
export function noticeSettingsRoutes(web: NoticesWeb): Route[] {
  return [
    showSettings(web),
    readSettings(web),
    saveSettings(web, 'put'),
    // HTML forms have no PUT.
    saveSettings(web, 'post'),
    sendTest(web),
  ]
}

const showSettings = (web: NoticesWeb) =>
  route({
    method: 'get',
    path: '/settings',
    summary: 'Who gets notices, and how',
    guard: web.access.mayWrite,
    pageOnly: true,
    answers: { 200: { description: 'A page', type: 'text/html' } },
    handle: c => settingsPage(web, c),
  })

const readSettings = (web: NoticesWeb) =>
  route({
    method: 'get',
    path: '/api/settings/notices',
    operation: 'getNoticeSettings',
    summary: 'Who gets notices, and how; the password in `smtp_url` is masked',
    guard: web.access.mayWrite,
    answers: { 200: { description: 'The settings', schema: noticeSettingsShape } },
    // The address of a refused form, which a browser may load again.
    handle: c => (wantsPage(c) ? c.redirect('/settings', 303) : c.json(settingsJson(web))),
  })

const saveSettings = (web: NoticesWeb, method: 'post' | 'put') =>
  route({
    method,
    path: '/api/settings/notices',
    operation: method === 'put' ? 'setNoticeSettings' : 'postNoticeSettings',
    summary: 'Change who gets notices, and how; omitted fields stay as they are, empty ones are turned off',
    guard: web.access.mayWrite,
    body: noticeFields,
    answers: {
      200: {
        description: 'The settings; a new signing secret for the webhook is shown only here',
        schema: noticeSettingsShape.extend({ webhook_secret: z.string().optional() }),
      },
    },
    onInvalid: (c, errors, typed) => settingsPage(web, c, { typed: textsOf(typed), errors }, 422),
    handle: (c, { body }) => {
      const { mail } = web.notices.settings
      const before = web.notices.settings.chosen()
      const change = changeOf(body, before)
      const next = { ...before, ...change }
      const counts = next.smtpUrl ? next : { ...mail, smtpFrom: next.smtpFrom || mail.smtpFrom }
      const faults = mailFaults(next, counts)
      if (faults.length > 0) {
        if (!wantsPage(c)) throw invalidFields(faults)
        return settingsPage(web, c, { typed: { ...fieldsOf(next) }, errors: faults }, 422)
      }
      const { webhookSecret } = web.notices.settings.save(change)
      const secret =
        webhookSecret !== before.webhookSecret && webhookSecret !== '' ? webhookSecret : undefined
      if (wantsPage(c)) return settingsPage(web, c, { done: 'saved', secret })
      return c.json({ ...settingsJson(web), ...(secret ? { webhook_secret: secret } : {}) })
    },
  })

const sendTest = (web: NoticesWeb) =>
  route({
    method: 'post',
    path: '/api/notices/test',
    summary: 'Send a test message through every channel that is set up',
    guard: web.access.mayWrite,
    answers: {
      202: {
        description: 'The tests are queued; `channels` is their number',
        schema: z.object({ channels: z.int() }),
      },
      409: { description: 'No channel is set up' },
    },
    handle: c => {
      const channels = web.notices.test()
      if (channels === 0) throw noChannel('Set up email, a webhook, Slack or Discord first.')
      return wantsPage(c) ? settingsPage(web, c, { done: 'tested' }) : c.json({ channels }, 202)
    },
  })

function settingsPage(
  { notices, clock }: NoticesWeb,
  c: AppContext,
  props: Partial<Pick<NoticeSettingsPageProps, 'secret' | 'done'>> & {
    typed?: Partial<NoticeFields>
    errors?: readonly FieldError[]
  } = {},
  status = 200,
) {
  const { typed = {}, errors = [], ...rest } = props
  const current = notices.settings.current()
  c.status(status as 200)
  const content = (
    <NoticeSettingsPage
      now={clock.now()}
      fields={{ ...fieldsOf(notices.settings.chosen()), ...typed }}
      errors={errors}
      fromEnvironment={{ smtp: notices.settings.mail.smtpUrl !== '', from: notices.settings.mail.smtpFrom }}
      channels={channelsOf(current)}
      heartbeat={notices.heartbeat()}
      commitStatus={notices.commitStatuses.last()}
      {...rest}
    />
  )
  return show(c, content, { title: 'Notices', current: '/settings' })
}

const channelsOf = (current: NoticeSettings) => ({
  email: current.emailTo !== '' && current.smtpUrl !== '',
  webhook: current.webhookUrl !== '',
  slack: current.slackUrl !== '',
  discord: current.discordUrl !== '',
})

function settingsJson({ notices }: NoticesWeb) {
  const { failures_in_a_row: _, ...texts } = fieldsOf(notices.settings.chosen())
  const current = notices.settings.current()
  const beat = notices.heartbeat()
  const status = notices.commitStatuses.last()
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

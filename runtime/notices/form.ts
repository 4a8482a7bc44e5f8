import { z } from 'zod'
import type { NoticeFields } from '../../views/instance/settings/notice-settings-page.tsx'
import type { NoticeSettings } from './settings.ts'

const url = (schemes: readonly string[], example: string) => {
  const words = `must be an address such as ${example}`
  return z
    .string(words)
    .trim()
    .max(2000, 'must be at most 2000 characters')
    .refine(text => {
      if (text === '') return true
      const parsed = URL.parse(text)
      return parsed !== null && schemes.includes(parsed.protocol) && parsed.hostname !== ''
    }, words)
}

const address = /^[^\s@,<>]+@[^\s@,<>]+$/
const sender = /^(?:[^<>\p{Cc}]*<[^\s@,<>]+@[^\s@,<>]+>|[^\s@,<>]+@[^\s@,<>]+)$/u
const failures = 'must be a whole number from 1 to 20'

/** Omitted fields are unchanged; '' turns a channel off. */
export const noticeFields = z
  .object({
    email_to: z
      .string('must be addresses separated by commas')
      .transform(text =>
        text
          .split(',')
          .map(part => part.trim())
          .filter(part => part !== ''),
      )
      .refine(
        list => list.every(each => address.test(each)),
        'must be addresses such as you@example.com, separated by commas',
      )
      .refine(list => list.length <= 20, 'must be at most 20 addresses')
      .transform(list => list.join(', ')),
    smtp_url: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.example.com:587'),
    smtp_from: z
      .string('must be an address')
      .trim()
      .refine(text => text === '' || sender.test(text), 'must be an address such as jobs@example.com'),
    webhook_url: url(['http:', 'https:'], 'https://example.com/longhouse'),
    slack_url: url(['http:', 'https:'], 'https://hooks.slack.com/services/T…/B…/…'),
    discord_url: url(['http:', 'https:'], 'https://discord.com/api/webhooks/…/…'),
    heartbeat_url: url(['http:', 'https:'], 'https://hc-ping.com/your-check'),
    failures_in_a_row: z
      .union([z.int(), z.string().regex(/^\d+$/).transform(Number)], failures)
      .refine(count => count >= 1 && count <= 20, failures),
  })
  .partial()

/** The change that a form or script sent. A masked address that comes back is unchanged. */
export function changeOf(
  fields: z.output<typeof noticeFields>,
  held: NoticeSettings,
): Partial<NoticeSettings> {
  const change: Partial<NoticeSettings> = {}
  if (fields.email_to !== undefined) change.emailTo = fields.email_to
  if (fields.smtp_url !== undefined && fields.smtp_url !== maskUrl(held.smtpUrl))
    change.smtpUrl = fields.smtp_url
  if (fields.smtp_from !== undefined) change.smtpFrom = fields.smtp_from
  if (fields.webhook_url !== undefined) change.webhookUrl = fields.webhook_url
  if (fields.slack_url !== undefined) change.slackUrl = fields.slack_url
  if (fields.discord_url !== undefined) change.discordUrl = fields.discord_url
  if (fields.heartbeat_url !== undefined) change.heartbeatUrl = fields.heartbeat_url
  if (fields.failures_in_a_row !== undefined) change.failuresInARow = fields.failures_in_a_row
  return change
}

/** What is missing for sending email. `mail` is the effective mail server. */
export function mailFaults({ emailTo }: NoticeSettings, mail: { smtpUrl: string; smtpFrom: string }) {
  if (!emailTo) return []
  if (!mail.smtpUrl) return [{ path: 'smtp_url', message: 'must be set for mail to be sent' }]
  if (!mail.smtpFrom) return [{ path: 'smtp_from', message: 'must be set for mail to be sent' }]
  return []
}

export function fieldsOf(settings: NoticeSettings): NoticeFields {
  return {
    email_to: settings.emailTo,
    smtp_url: maskUrl(settings.smtpUrl),
    smtp_from: settings.smtpFrom,
    webhook_url: settings.webhookUrl,
    slack_url: settings.slackUrl,
    discord_url: settings.discordUrl,
    heartbeat_url: settings.heartbeatUrl,
    failures_in_a_row: String(settings.failuresInARow),
  }
}

function maskUrl(text: string): string {
  if (!URL.canParse(text)) return text
  const parsed = new URL(text)
  if (parsed.password !== '') parsed.password = '***'
  return parsed.href
}

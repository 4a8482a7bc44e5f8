import { timestamp } from '../../../src/clock.ts'
import { runDetailJson } from '../run-detail.ts'
import type { Message } from '../schema.ts'
import { discordBody } from './discord.ts'
import { slackBody } from './slack.ts'

/** The format that a webhook's receiver expects. */
export type Shape = 'longhouse' | 'slack' | 'discord'

/** Recognises Slack and Discord by their hosts: these accept only their own formats. */
export function shapeOf(url: string): Shape {
  const parsed = URL.parse(url)
  if (!parsed) return 'longhouse'
  if (/^hooks\.slack(-gov)?\.com$/.test(parsed.hostname)) return 'slack'
  const isDiscord = /^((ptb|canary)\.)?discord(app)?\.com$/.test(parsed.hostname)
  return isDiscord && parsed.pathname.startsWith('/api/') ? 'discord' : 'longhouse'
}

/** The JSON body to post. */
export function bodyOf(
  message: Message,
  shape: Shape,
  { instance, product }: { instance: string; product: string },
): string {
  const { id, kind, content } = message
  if (shape === 'slack') return JSON.stringify(slackBody(content))
  if (shape === 'discord') return JSON.stringify(discordBody(content, product))
  const { type, subject, text, jobId, incidentId, url, at, run, reminder = 0 } = content
  return JSON.stringify({
    id,
    type,
    kind,
    at: timestamp(at),
    instance,
    subject,
    text,
    job_id: jobId,
    incident_id: incidentId,
    url,
    reminder,
    run: run ? runDetailJson(run) : null,
  })
}

import { timestamp } from '../../src/clock.ts'
import { postWebhook, request, requireAccepted } from '../../src/delivery/webhook.ts'
import { paragraphsOf, subjectOf } from './notice.ts'
import type { Notice, NoticeLine } from './notice-content.ts'
import type { AlertsConfig } from './settings.ts'

/** A webhook that notices are posted to. */
export interface Channel {
  name: 'webhook' | 'slack' | 'ntfy'
  /** For people. */
  title: string
  /** Where it is, without what may be secret in its address. */
  host: string
  /** Throws a DeliveryError unless it was accepted. */
  post(notice: Notice, deliveryId: string, now: number): Promise<void>
}

const titles = { webhook: 'the webhook', slack: 'Slack', ntfy: 'ntfy' } as const

/** The webhooks that are set up. */
export function channelsOf(config: AlertsConfig): Channel[] {
  const { ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET = '', ALERT_SLACK_URL, ALERT_NTFY_URL } = config
  const channels: Channel[] = []
  const add = (name: Channel['name'], url: string | undefined, post: (url: string) => Channel['post']) => {
    if (url !== undefined)
      channels.push({ name, title: titles[name], host: new URL(url).host, post: post(url) })
  }
  add(
    'webhook',
    ALERT_WEBHOOK_URL,
    url => (notice, deliveryId, now) =>
      postWebhook(url, {
        body: webhookBody(notice, deliveryId),
        secret: ALERT_WEBHOOK_SECRET,
        deliveryId,
        now,
      }),
  )
  add(
    'slack',
    ALERT_SLACK_URL,
    url => (notice, deliveryId, now) =>
      postWebhook(url, { body: slackBody(notice), secret: '', deliveryId, now }),
  )
  add('ntfy', ALERT_NTFY_URL, url => notice => postToNtfy(url, notice))
  return channels
}

function webhookBody(notice: Notice, id: string): string {
  const line = ({ since, ...rest }: NoticeLine) => ({ ...rest, since: timestamp(since) })
  return JSON.stringify({
    id,
    type: notice.type,
    at: timestamp(notice.at),
    site: notice.site,
    subject: subjectOf(notice),
    text: paragraphsOf(notice).join('\n\n'),
    opened: notice.opened.map(line),
    reminded: notice.reminded.map(line),
    recovered: notice.recovered.map(line),
  })
}

/** What Slack's incoming webhooks take, and servers that are compatible: 3,000 characters of text are shown whole. */
function slackBody(notice: Notice): string {
  // `<!channel>` would notify everyone.
  const escaped = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return JSON.stringify({
    text: `*${escaped(subjectOf(notice))}*\n${cut(escaped(paragraphsOf(notice).join('\n')), 2900)}`,
  })
}

/** ntfy's JSON form (docs.ntfy.sh/publish): posted to the server's root, with the topic in the body; 4,096 bytes of text. */
async function postToNtfy(url: string, notice: Notice): Promise<void> {
  const { origin, pathname, username, password } = new URL(url)
  const body = JSON.stringify({
    topic: decodeURIComponent(pathname.slice(1)),
    title: subjectOf(notice),
    message: cut(paragraphsOf(notice).join('\n'), 1000),
    priority: notice.opened.length > 0 ? 4 : 3,
    tags: [notice.opened.length + notice.reminded.length > 0 ? 'warning' : 'white_check_mark'],
    click: `${notice.site}/admin/alerts`,
  })
  // A token is given as the password of an empty user, as ntfy documents.
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
    'base64',
  )
  const headers = {
    'Content-Type': 'application/json',
    ...(password === '' ? {} : { Authorization: `Basic ${credentials}` }),
  }
  requireAccepted(await request(`${origin}/`, { method: 'POST', body, headers }), 'ntfy')
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

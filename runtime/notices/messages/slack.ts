import type { MessageContent } from '../message-content.ts'
import { errorText, type RunDetail } from '../run-detail.ts'

/**
 * A notice in the format of Slack's incoming webhooks. Limits (docs.slack.dev, Block Kit): 150 characters in a
 * header, 3000 in a section; `text` is shown in the notification. Compatible servers such as Mattermost and
 * Rocket.Chat show `text`.
 */
export function slackBody({ subject, text, summary, url, run }: MessageContent): unknown {
  const address = run?.url ?? url
  const code = run && [run.error && errorText(run.error), run.logTail && `Log:\n${run.logTail}`]
  return {
    text: escaped(cut(subject, 300)),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(subject, 150), emoji: false } },
      section(escapedTo(summary ?? text, 2900)),
      ...(run
        ? [
            section(
              `*Run:* ${run.url ? `<${run.url}|${run.id}>` : run.id}${run.commit ? `\n*Commit:* \`${run.commit.slice(0, 12)}\`` : ''}${failedAt(run)}`,
            ),
          ]
        : []),
      ...(code ?? [])
        .filter(part => part != null && part !== '')
        .map(part => section(`\`\`\`${escapedTo(String(part).replaceAll('```', "'''"), 2900)}\`\`\``)),
      ...(address ? [{ type: 'context', elements: [{ type: 'mrkdwn', text: escaped(address) }] }] : []),
    ],
  }
}

function failedAt({ place }: RunDetail): string {
  if (!place) return ''
  const words = escaped(`${place.file}:${place.line}`.replaceAll('|', ' '))
  return `\n*Failed at:* ${place.url ? `<${escaped(place.url)}|${words}>` : words}`
}

function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text } }
}

/** Escapes Slack's markup: `<!channel>` would notify everyone. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** The limit applies to the escaped text, so it is cut before escaping makes it longer. */
function escapedTo(text: string, most: number): string {
  let kept = cut(text, most)
  while (escaped(kept).length > most) kept = cut(kept, Math.floor(kept.length * 0.9))
  return escaped(kept)
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

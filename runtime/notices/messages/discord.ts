import { timestamp } from '../../../src/clock.ts'
import type { MessageContent } from '../message-content.ts'
import { errorText, type RunDetail } from '../run-detail.ts'

const red = 0xd1242f
const green = 0x1a7f37

/**
 * A notice in the format of Discord’s webhooks. Limits (discord.com/developers/docs): 256 characters in an embed’s
 * title, 4096 in its description, 1024 in a field, 6000 in total. It disables mentions, whatever a log contains.
 */
export function discordBody(
  { subject, text, summary, url, run, at, good }: MessageContent,
  username: string,
): unknown {
  const address = run?.url ?? url
  const code = (part: string, most: number) => `\`\`\`\n${cut(part.replaceAll('```', "'''"), most)}\n\`\`\``
  const description = [
    cut(summary ?? text, 1500),
    ...(run?.error ? [code(errorText(run.error), 1500)] : []),
    ...(run?.logTail ? [`Log:\n${code(run.logTail.slice(-900), 900)}`] : []),
  ].join('\n')
  return {
    username,
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: cut(subject, 256),
        description,
        color: good ? green : red,
        timestamp: timestamp(at),
        ...(address ? { url: address } : {}),
        fields: [
          ...(run ? [{ name: 'Run', value: cut(run.url ?? run.id, 1024) }] : []),
          ...(run?.commit ? [{ name: 'Commit', value: `\`${run.commit.slice(0, 12)}\``, inline: true }] : []),
          ...(run?.place ? [{ name: 'Failed at', value: placeWords(run.place) }] : []),
        ],
      },
    ],
  }
}

function placeWords({ file, line, url }: NonNullable<RunDetail['place']>): string {
  const words = `${file}:${line}`
  // Brackets would end the words of a link.
  return cut(url === null || /[[\]()]/.test(words) ? (url ?? words) : `[${words}](${url})`, 1024)
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

import { timestamp } from '../../src/clock.ts'
import type { Notice, NoticeLine } from './notice-content.ts'
import type { OpenAlert, Round } from './round.ts'

/** More than these are only counted: each webhook has a limit. */
const mostListed = 20

/** The notice of a round; null when there is nothing to say. */
export function noticeOf(round: Round, site: string, at: number): Notice | null {
  const { opened, reminded, recovered } = round
  if (opened.length + reminded.length + recovered.length === 0) return null
  const lines = (alerts: readonly OpenAlert[]) =>
    alerts.map(({ id, kind, subdomain, summary, detail, openedAt, path }) => ({
      ...{ id, kind, subdomain, summary, detail, since: openedAt },
      url: site + path,
    }))
  return {
    type: 'alerts',
    at,
    site,
    opened: lines(opened),
    reminded: lines(reminded),
    recovered: lines(recovered),
  }
}

export function testNotice(site: string, at: number): Notice {
  return { type: 'test', at, site, opened: [], reminded: [], recovered: [] }
}

/** One line that says what it is about. */
export function subjectOf({ type, site, opened, reminded, recovered }: Notice): string {
  const host = new URL(site).host
  if (type === 'test') return `[${host}] a test`
  const all = [...opened, ...reminded]
  const [only] = all
  if (all.length === 1 && only) return `[${host}] ${only.summary}`
  if (all.length > 1) return `[${host}] ${all.length} things need you`
  const [over] = recovered
  return recovered.length === 1 && over
    ? `[${host}] Over: ${over.summary}`
    : `[${host}] ${recovered.length} alerts are over`
}

/** The paragraphs of its text, without its subject. */
export function paragraphsOf(notice: Notice): string[] {
  const { type, site, opened, reminded, recovered } = notice
  if (type === 'test') return ['You asked for a test alert. Alerts arrive here.', `${site}/admin/alerts`]
  return [
    ...part('', opened, line => `${line.summary}${line.detail && `: ${line.detail}`}\n${line.url}`),
    ...part('Still open:', reminded, line => `${line.summary}, since ${timestamp(line.since)}\n${line.url}`),
    ...part('Over:', recovered, line => `${line.summary} (since ${timestamp(line.since)})`),
    `All alerts: ${site}/admin/alerts`,
  ]
}

function part(title: string, lines: readonly NoticeLine[], words: (line: NoticeLine) => string): string[] {
  if (lines.length === 0) return []
  const more = lines.length - mostListed
  return [
    ...(title === '' ? [] : [title]),
    ...lines.slice(0, mostListed).map(words),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]
}

import type { IncidentKind } from '../finding.ts'
import type { MessageContent } from '../message-content.ts'
import { type RunDetail, runLines } from '../run-detail.ts'
import type { Incident } from '../watch/incidents.ts'

export interface Place {
  /** The name of the instance. */
  name: string
  /** The public address of the instance. */
  origin: string | null
}

interface Words {
  type: string
  /** A page with details, for problems of the instance. */
  page?: string
  /** The text after the job's id, or a sentence for a problem of the instance. */
  opened: string
  still: string
  over: string
}

const words: Record<IncidentKind, Words> = {
  failing: {
    type: 'job.failing',
    opened: 'failed',
    still: 'is still failing',
    over: 'works again',
  },
  'too-long': {
    type: 'job.too-long',
    opened: 'runs longer than its schedule allows',
    still: 'still runs longer than its schedule allows',
    over: 'works again',
  },
  overdue: {
    type: 'job.overdue',
    opened: 'is overdue',
    still: 'is still overdue',
    over: 'works again',
  },
  'no-next-slot': {
    type: 'job.no-next-slot',
    opened: 'has no next run',
    still: 'still has no next run',
    over: 'works again',
  },
  manifest: {
    type: 'manifest.refused',
    page: '/',
    opened: 'the jobs repo does not load',
    still: 'the jobs repo still does not load',
    over: 'the jobs repo loads again',
  },
  packages: {
    type: 'packages.failed',
    page: '/',
    opened: 'packages could not be installed',
    still: 'packages still cannot be installed',
    over: 'the packages are installed',
  },
  sync: {
    type: 'sync.failed',
    page: '/repo/remote',
    opened: 'sync with the remote fails',
    still: 'sync with the remote still fails',
    over: 'sync with the remote works again',
  },
  conflict: {
    type: 'conflict.opened',
    page: '/repo/remote',
    opened: 'the remote conflicts with changes made here',
    still: 'the remote still conflicts with changes made here',
    over: 'the conflict with the remote is settled',
  },
  held: {
    type: 'change.held',
    page: '/repo/remote',
    opened: 'a change is held back until you confirm it',
    still: 'a change is still held back until you confirm it',
    over: 'no change is held back any more',
  },
  scheduler: {
    type: 'scheduler.failing',
    page: '/',
    opened: 'the scheduler fails',
    still: 'the scheduler still fails',
    over: 'the scheduler works again',
  },
}

export function openedMessage(
  incident: Incident,
  { place, now, run }: { place: Place; now: number; run: RunDetail | null },
): MessageContent {
  const { type, opened } = words[incident.kind]
  return about(incident, { type, what: opened, place, now, run, lines: [incident.detail] })
}

/** A reminder of an open incident, and how to end it. */
export function reminderMessage(
  incident: Incident,
  { place, now, run }: { place: Place; now: number; run: RunDetail | null },
): MessageContent {
  const { type, still } = words[incident.kind]
  const mute = place.origin ? ` at ${place.origin}/settings/notices` : ' under Settings, Incidents'
  const lines = [
    incident.detail,
    `Open since ${new Date(incident.openedAt).toISOString()}. You get this reminder once a day until it recovers, or until you mute it${mute}.`,
  ]
  const message = about(incident, { type, what: still, place, now, run, lines })
  return { ...message, reminder: incident.reminders }
}

export function recoveredMessage(incident: Incident, place: Place, now: number): MessageContent {
  const { type, over, opened } = words[incident.kind]
  const since = new Date(incident.openedAt).toISOString()
  const line = incident.jobId
    ? `It ${
        incident.kind === 'failing'
          ? 'had failed'
          : opened
              .replace(/^is /, 'was ')
              .replace(/^has /, 'had ')
              .replace(/^runs /, 'ran ')
      } since ${since}.`
    : `It had been open since ${since}: ${incident.detail.split('\n')[0]}`
  const recovered = `${type.split('.')[0]}.recovered`
  const message = about(incident, { type: recovered, what: over, place, now, run: null, lines: [line] })
  return { ...message, good: true }
}

/** More jobs than this are only counted. */
const mostListed = 20

export function missedMessage(
  missed: readonly { jobId: string; at: number }[],
  place: Place,
  now: number,
): MessageContent {
  const jobs = Map.groupBy(missed, slot => slot.jobId)
  const lines = [...jobs].slice(0, mostListed).map(([jobId, slots]) => {
    const times = slots.map(slot => slot.at)
    const first = new Date(Math.min(...times)).toISOString()
    const last = new Date(Math.max(...times)).toISOString()
    return slots.length === 1
      ? `${jobId}: ${first}`
      : `${jobId}: ${slots.length} times, from ${first} to ${last}`
  })
  if (jobs.size > mostListed) lines.push(`and ${jobs.size - mostListed} more jobs`)
  const total = missed.length === 1 ? 'One due time was' : `${missed.length} due times were`
  const text = [`${total} missed and will not run:`, ...lines]
  const only = jobs.size === 1 ? (missed[0]?.jobId ?? null) : null
  return compose(place, {
    type: 'slots.missed',
    subject: `${missed.length} missed`,
    lines: text,
    jobId: only,
    incidentId: null,
    at: now,
  })
}

export function testMessage(place: Place, now: number): MessageContent {
  const lines = ['You pressed “Send a test” on the settings page. Notices arrive.']
  const message = compose(place, {
    type: 'test',
    subject: 'a test',
    lines,
    jobId: null,
    incidentId: null,
    at: now,
  })
  return { ...message, good: true }
}

function about(
  { id, jobId, kind }: Incident,
  more: {
    type: string
    what: string
    lines: readonly string[]
    place: Place
    now: number
    run: RunDetail | null
  },
): MessageContent {
  const { type, what, lines, place, now, run } = more
  return compose(place, {
    type,
    subject: jobId ? `${jobId} ${what}` : what,
    lines,
    jobId: jobId || null,
    incidentId: id,
    at: now,
    page: words[kind].page,
    run,
  })
}

function compose(
  place: Place,
  of: Pick<MessageContent, 'type' | 'subject' | 'jobId' | 'incidentId' | 'at'> & {
    lines: readonly string[]
    page?: string | undefined
    run?: RunDetail | null
  },
): MessageContent {
  const { lines, page = '/', run, subject, ...rest } = of
  const url = place.origin && `${place.origin}${of.jobId ? `/jobs/${of.jobId}` : page}`
  const summary = lines.join('\n')
  const text = [summary, ...(run ? ['', ...runLines(run)] : []), ...(url ? ['', url] : [])].join('\n')
  return {
    ...rest,
    subject: `[${place.name}] ${subject}`,
    summary,
    text,
    url,
    ...(run ? { run } : {}),
  }
}

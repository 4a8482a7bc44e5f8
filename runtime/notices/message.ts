import type { Destination } from './notify.ts'
import type { IncidentKind } from './watch.ts'

/** What is told, for people and for programs. */
export interface MessageContent {
  /** `job.failing`, `job.recovered`, `slots.missed`, `test` … */
  type: string
  subject: string
  text: string
  jobId: string | null
  incidentId: string | null
  /** Of the page that shows more; null when nobody said how people reach the instance. */
  url: string | null
  at: number
  /** When the job says itself who is told. */
  to?: Destination
}

export interface Place {
  /** What the instance is called. */
  name: string
  /** Its address as people see it. */
  origin: string | null
}

const titles: Record<IncidentKind, string> = {
  failing: 'failed',
  'too-long': 'runs longer than its schedule allows',
  overdue: 'is overdue',
  'no-next-slot': 'has no next run',
}

interface Incident {
  id: string
  jobId: string
  kind: IncidentKind
  detail: string
  openedAt: number
}

export function openedMessage(
  { id, jobId, kind, detail }: Incident,
  place: Place,
  now: number,
): MessageContent {
  return compose(place, `job.${kind}`, `${jobId} ${titles[kind]}`, [detail], {
    jobId,
    incidentId: id,
    at: now,
  })
}

export function recoveredMessage(
  { id, jobId, kind, openedAt }: Incident,
  place: Place,
  now: number,
): MessageContent {
  const text = `It is well again. Since ${new Date(openedAt).toISOString()} it ${titles[kind]}.`
  const told = kind === 'failing' ? text.replace('it failed', 'it had failed') : text
  return compose(place, 'job.recovered', `${jobId} is well again`, [told], { jobId, incidentId: id, at: now })
}

/** More jobs than these are counted only. */
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
  const text = [`${total} missed and will not be made up for:`, ...lines]
  const only = jobs.size === 1 ? (missed[0]?.jobId ?? null) : null
  return compose(place, 'slots.missed', `${missed.length} missed`, text, {
    jobId: only,
    incidentId: null,
    at: now,
  })
}

export function testMessage(place: Place, now: number): MessageContent {
  const text = ['Somebody asked for this on the settings page. Notices arrive.']
  return compose(place, 'test', 'a test', text, { jobId: null, incidentId: null, at: now })
}

function compose(
  place: Place,
  type: string,
  subject: string,
  lines: readonly string[],
  about: Pick<MessageContent, 'jobId' | 'incidentId' | 'at'>,
): MessageContent {
  const url = place.origin && (about.jobId ? `${place.origin}/jobs/${about.jobId}` : `${place.origin}/`)
  const text = [...lines, ...(url ? ['', url] : [])].join('\n')
  return { type, subject: `[${place.name}] ${subject}`, text, url, ...about }
}

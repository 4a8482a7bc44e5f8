import type { JobView, NotifyView, PoliciesView } from '../shapes.ts'

/** One thing about how a job runs, in words. */
export interface PolicyLine {
  label: string
  words: string
  /** True when the job says so itself, and most do not. */
  own: boolean
}

const minute = 60_000
const day = 24 * 60 * minute

export function policyLines({ policies, notify, params, secrets }: JobView): PolicyLine[] {
  const { timeoutMs, memory, catchUp, catchUpWindowMs, overlap, retry, onInterrupt, concurrencyKey } =
    policies
  return [
    {
      label: 'Time limit',
      words: lengthWords(timeoutMs),
      own: timeoutMs !== 5 * minute,
    },
    {
      label: 'Memory',
      words: `${Math.floor(memory.bytes / 1024 ** 2)} MiB`,
      own: memory.own,
    },
    {
      label: 'Overlap',
      words: overlapWords[overlap],
      own: overlap !== 'skip',
    },
    {
      label: 'After a downtime',
      words: catchUpWords(catchUp, catchUpWindowMs),
      own: catchUp !== 'latest' || catchUpWindowMs !== day,
    },
    { label: 'On failure', words: retryWords(retry), own: retry !== null },
    {
      label: 'When cut short',
      words: onInterrupt === 'rerun' ? 'It starts again, three times at most' : 'It stays interrupted',
      own: onInterrupt !== 'fail',
    },
    ...(concurrencyKey === null
      ? []
      : [{ label: 'One at a time', words: `Of all jobs with the key “${concurrencyKey}”`, own: true }]),
    ...(params === null ? [] : [{ label: 'Parameters', words: paramWords(params.schema), own: true }]),
    ...(secrets.length === 0 ? [] : [{ label: 'Secrets', words: secrets.join(', '), own: true }]),
    { label: 'Notices', ...noticeWords(notify) },
  ]
}

const overlapWords: Record<PoliciesView['overlap'], string> = {
  skip: 'A time that comes while it runs is skipped',
  queue: 'A time that comes while it runs waits for its end',
  replace: 'A time that comes while it runs ends that run and starts',
}

function catchUpWords(catchUp: PoliciesView['catchUp'], windowMs: number): string {
  if (catchUp === 'none') return 'Missed times are not made up for'
  const within = `up to ${lengthWords(windowMs)} late`
  return catchUp === 'all'
    ? `Each missed time runs, in order, ${within}`
    : `The last missed time runs, ${within}`
}

function retryWords(retry: PoliciesView['retry']): string {
  if (retry === null) return 'It is not tried again'
  const { attempts, delayMs, factor, maxDelayMs, jitter } = retry
  if (attempts === 1) return 'It is tried once'
  const grows =
    attempts > 2 && factor !== 1
      ? `, then ${factor} times as long each, ${lengthWords(maxDelayMs)} at most`
      : ''
  const chance = jitter > 0 ? `, give or take ${Math.round(jitter * 100)} %` : ''
  return `${attempts} attempts in all: the next after ${lengthWords(Math.min(delayMs, maxDelayMs))}${grows}${chance}`
}

function paramWords({ properties }: Readonly<Record<string, unknown>>): string {
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  return names.length === 0 ? 'An object' : names.join(', ')
}

function noticeWords({
  failures,
  longRun,
  overdue,
  missed,
  emails,
  webhook,
}: NotifyView): Omit<PolicyLine, 'label'> {
  if (failures === false && longRun === false && !overdue && !missed) {
    return { words: 'Nothing is told', own: true }
  }
  const parts = [
    failures === false ? 'failures are not told' : '',
    typeof failures === 'number' ? (failures === 1 ? 'each failure' : `${failures} failures in a row`) : '',
    longRun === false ? 'long runs are not told' : '',
    typeof longRun === 'number' ? `runs of more than ${lengthWords(longRun)}` : '',
    overdue ? '' : 'overdue times are not told',
    missed ? '' : 'missed times are not told',
    emails === null ? '' : emails.length === 0 ? 'no email' : `to ${emails.join(', ')}`,
    webhook === null ? '' : `to a webhook at ${URL.parse(webhook)?.host ?? webhook}`,
  ].filter(part => part !== '')
  if (parts.length === 0) return { words: 'As the settings say', own: false }
  const words = parts.join('; ')
  return { words: words.charAt(0).toUpperCase() + words.slice(1), own: true }
}

const units = [
  [day, 'day'],
  [60 * minute, 'hour'],
  [minute, 'minute'],
  [1000, 'second'],
] as const

/** A time as somebody set it: `5 minutes`, `1 day 12 hours`. */
function lengthWords(ms: number): string {
  let rest = ms
  const words = units.flatMap(([unit, name]) => {
    const count = Math.floor(rest / unit)
    rest -= count * unit
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`]
  })
  return words.slice(0, 2).join(' ') || `${ms} ms`
}

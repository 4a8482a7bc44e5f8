import type { Job, JobPolicies, NotifySpec } from '../../../runtime/jobs/contract.ts'

/** One policy of a job, in words. */
export interface PolicyLine {
  label: string
  words: string
  /** True when the job sets it; false for the default. */
  own: boolean
}

const minute = 60_000
const day = 24 * 60 * minute

function sizeWords(bytes: number): string {
  const mebibytes = Math.floor(bytes / 1024 ** 2)
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`
}

export function policyLines({ policies, notify, params, secrets }: Job): PolicyLine[] {
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
      words: sizeWords(memory.bytes),
      own: memory.own,
    },
    {
      label: 'Overlap',
      words: overlapWords[overlap],
      own: overlap !== 'skip',
    },
    {
      label: 'After downtime',
      words: catchUpWords(catchUp, catchUpWindowMs),
      own: catchUp !== 'latest' || catchUpWindowMs !== day,
    },
    { label: 'On failure', words: retryWords(retry), own: retry !== null },
    {
      label: 'When interrupted',
      words: onInterrupt === 'rerun' ? 'Starts again, at most three times' : 'Not started again',
      own: onInterrupt !== 'fail',
    },
    ...(concurrencyKey === null
      ? []
      : [
          {
            label: 'Concurrency',
            words: `One run at a time of all jobs with the key “${concurrencyKey}”`,
            own: true,
          },
        ]),
    ...(params === null ? [] : [{ label: 'Parameters', words: paramWords(params.schema), own: true }]),
    ...(secrets.length === 0 ? [] : [{ label: 'Secrets', words: secrets.join(', '), own: true }]),
    { label: 'Notices', ...noticeWords(notify) },
  ]
}

const overlapWords: Record<JobPolicies['overlap'], string> = {
  skip: 'Due times are skipped while a run is in progress',
  queue: 'Due times are queued while a run is in progress',
  replace: 'A due time cancels the run in progress and starts a new one',
}

function catchUpWords(catchUp: JobPolicies['catchUp'], windowMs: number): string {
  if (catchUp === 'none') return 'Missed due times are not run'
  const within = `up to ${lengthWords(windowMs)} late`
  return catchUp === 'all'
    ? `All missed due times run, in order, ${within}`
    : `The last missed due time runs, ${within}`
}

function retryWords(retry: JobPolicies['retry']): string {
  if (retry === null) return 'No retries'
  const { attempts, delayMs, factor, maxDelayMs, jitter } = retry
  if (attempts === 1) return 'One attempt'
  const grows =
    attempts > 2 && factor !== 1
      ? `, then ${factor} times as long each time, at most ${lengthWords(maxDelayMs)}`
      : ''
  const chance = jitter > 0 ? `, ± ${Math.round(jitter * 100)} %` : ''
  return `${attempts} attempts: the second after ${lengthWords(Math.min(delayMs, maxDelayMs))}${grows}${chance}`
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
}: NotifySpec): Omit<PolicyLine, 'label'> {
  if (failures === false && longRun === false && !overdue && !missed) {
    return { words: 'Off', own: true }
  }
  const parts = [
    failures === false ? 'no notices about failures' : '',
    typeof failures === 'number' ? (failures === 1 ? 'each failure' : `${failures} failures in a row`) : '',
    longRun === false ? 'none about long runs' : '',
    typeof longRun === 'number' ? `runs longer than ${lengthWords(longRun)}` : '',
    overdue ? '' : 'none about overdue runs',
    missed ? '' : 'none about missed due times',
    emails === null ? '' : emails.length === 0 ? 'no email' : `to ${emails.join(', ')}`,
    webhook === null ? '' : `to a webhook at ${URL.parse(webhook)?.host ?? webhook}`,
  ].filter(part => part !== '')
  if (parts.length === 0) return { words: 'As set under Settings', own: false }
  const words = parts.join('; ')
  return { words: words.charAt(0).toUpperCase() + words.slice(1), own: true }
}

const units = [
  [day, 'day'],
  [60 * minute, 'hour'],
  [minute, 'minute'],
  [1000, 'second'],
] as const

/** A duration: `5 minutes`, `1 day 12 hours`. */
function lengthWords(ms: number): string {
  let rest = ms
  const words = units.flatMap(([unit, name]) => {
    const count = Math.floor(rest / unit)
    rest -= count * unit
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`]
  })
  return words.slice(0, 2).join(' ') || `${ms} ms`
}

import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { committedHref, firstPlace } from '../../views/components/log/source-links.tsx'
import { visibleText } from '../../views/components/log/terminal.ts'
import type { Run } from '../jobs/contract.ts'

/** A run in a notice. Its secrets are masked, as in its stored log and error. */
export interface RunDetail {
  id: string
  /** The address of its page; null if the instance’s public address is not set. */
  url: string | null
  status: Run['status']
  trigger: Run['trigger']
  slot: number | null
  attempt: number
  commit: string | null
  startedAt: number | null
  finishedAt: number | null
  /** `stack` contains the causes. */
  error: { message: string; stack: string | null } | null
  /** Where in the customer's code it failed; null if the stack has none. Missing in messages of older versions. */
  place?: FailurePlace | null
  /** The end of the log. */
  logTail: string
}

interface FailurePlace {
  file: string
  line: number
  column: number
  /** The address of the file at the commit of the run; null if the instance’s public address is not set. */
  url: string | null
}

const tailLines = 20
const tailLength = 2000
const messageLength = 1000
const stackLength = 3000

/** `readLog` returns the log of a run. */
export function runDetail(run: Run, origin: string | null, readLog: (id: string) => string): RunDetail {
  const { id, status, trigger, slot, attempt, commit, startedAt, finishedAt, error } = run
  return {
    id,
    url: origin && `${origin}/runs/${id}`,
    status,
    trigger,
    slot,
    attempt,
    commit,
    startedAt,
    finishedAt,
    error: error && {
      message: cut(error.message, messageLength),
      stack: error.stack && cut(error.stack, stackLength),
    },
    place: placeOf(run, origin),
    logTail: tailOf(readLog(id)),
  }
}

function placeOf({ error, commit }: Run, origin: string | null): FailurePlace | null {
  const found = firstPlace(error?.stack ?? '')
  if (!found) return null
  const { file, line, column } = found
  return { ...found, url: origin && commit && `${origin}${committedHref(commit, file, line, column)}` }
}

/** For emails: the run, its error, the end of its log. */
export function runLines({ id, url, slot, attempt, commit, error, place, logTail }: RunDetail): string[] {
  const facts = [
    `Run: ${url ?? id}`,
    ...(commit ? [`Commit: ${commit}`] : []),
    ...(slot === null ? [] : [`Due: ${timestamp(slot)}`]),
    ...(attempt > 1 ? [`Attempt: ${attempt}`] : []),
    ...(place?.url ? [`Failed at: ${place.url}`] : []),
  ]
  return [
    ...facts,
    ...(error ? ['', errorText(error)] : []),
    ...(logTail === '' ? [] : ['', 'The end of its log:', ...logTail.split('\n').map(line => `  ${line}`)]),
  ]
}

/** A stack usually starts with the message, and contains the causes. */
export function errorText({ message, stack }: { message: string; stack: string | null }): string {
  if (stack === null) return message
  return stack.includes(message.split('\n')[0] ?? '') ? stack : `${message}\n${stack}`
}

const time = z.iso.datetime()

export const runDetailShape = z.object({
  id: z.string(),
  url: z.string().nullable(),
  status: z.string(),
  trigger: z.string(),
  slot: time.nullable(),
  attempt: z.int(),
  commit: z.string().nullable(),
  started_at: time.nullable(),
  finished_at: time.nullable(),
  error: z.object({ message: z.string(), stack: z.string().nullable() }).nullable(),
  place: z
    .object({ file: z.string(), line: z.int(), column: z.int(), url: z.string().nullable() })
    .nullable()
    .meta({ description: 'Where in your code it failed' }),
  log_tail: z.string(),
})

export function runDetailJson(detail: RunDetail): z.input<typeof runDetailShape> {
  const { startedAt, finishedAt, slot, logTail, place = null, ...rest } = detail
  return {
    ...rest,
    place,
    slot: timestamp(slot),
    started_at: timestamp(startedAt),
    finished_at: timestamp(finishedAt),
    log_tail: logTail,
  }
}

function tailOf(log: string): string {
  const end = log.slice(-10 * tailLength)
  // An escape sequence that was cut would leave its rest.
  const whole = end.length < log.length ? end.slice(end.indexOf('\n') + 1) : end
  const lines = visibleText(whole).trimEnd().split('\n')
  const text = lines.slice(-tailLines).join('\n')
  return text.length > tailLength ? `…${text.slice(-tailLength)}` : text
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}

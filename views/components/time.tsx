import { dateTime, durationWords, relativeTime, shortDateTime, zoneName } from './time-words.ts'

export interface TimeProps {
  /** Milliseconds since the epoch. */
  at: number
  /** The current time of the page. */
  now: number
  /** An IANA name; the full time is in this zone. */
  zone?: string
  /** `relative` says `5 min ago`, `short` the clock time with its zone, `full` everything. */
  as?: 'relative' | 'short' | 'full'
  /** The short form with seconds, for what happens more often than once a minute. */
  seconds?: boolean
}

/** A point in time for people and programs. The title always has the full time with its zone. */
export function Time({ at, now, zone = 'UTC', as = 'relative', seconds = false }: TimeProps) {
  const full = dateTime(at, zone)
  const text = {
    relative: () => relativeTime(at, now),
    short: () => `${shortDateTime(at, now, zone, seconds)} ${zoneName(at, zone)}`,
    full: () => full,
  }[as]()
  return (
    <time datetime={new Date(at).toISOString()} title={full} class="nowrap">
      {text}
    </time>
  )
}

/** The duration of something; a dash, read as "not yet", while it is unknown. */
export function Duration({ ms }: { ms: number | null | undefined }) {
  if (ms === null || ms === undefined) return <NotYet />
  return <span class="num nowrap">{durationWords(ms)}</span>
}

export function NotYet({ words = 'not yet' }: { words?: string }) {
  return (
    <span class="soft">
      <span aria-hidden="true">–</span>
      <span class="unseen">{words}</span>
    </span>
  )
}

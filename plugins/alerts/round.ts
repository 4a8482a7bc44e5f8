import type { Concern } from '../../src/kernel/concern.ts'
import type { Alert, Silence } from './schema.ts'

export interface RoundSettings {
  /** How long something must last until operators are notified of it, and be gone until it is over. */
  afterMs: number
  /** How often they are reminded of what stays open. */
  repeatMs: number
}

export type OpenAlert = Omit<Alert, 'closedAt'>

/** What one round does, see `decideRound`. */
export interface Round {
  /** Every alert that is open afterwards, as it is to be written. */
  open: OpenAlert[]
  /** The ids of those that are over. */
  over: string[]
  /** What operators are notified of, in one notice. */
  opened: OpenAlert[]
  reminded: OpenAlert[]
  recovered: OpenAlert[]
}

/**
 * Compares the open alerts with the concerns of now:
 *
 * - A concern without an alert opens one. Operators are notified once it has lasted for `afterMs`, so that what passes by
 *   itself wakes no one; then again each `repeatMs`.
 * - An alert whose concern is gone for `afterMs` is over. Operators are notified if they had been notified of it: what comes
 *   and goes is one alert.
 * - While a silence covers an alert, operators are notified of neither. When it ends and the concern is still there, they
 *   are.
 */
export function decideRound(
  known: readonly OpenAlert[],
  concerns: readonly Concern[],
  silences: readonly Pick<Silence, 'kind' | 'subdomain' | 'until'>[],
  { now, newId, afterMs, repeatMs }: RoundSettings & { now: number; newId(): string },
): Round {
  const round: Round = { open: [], over: [], opened: [], reminded: [], recovered: [] }
  const before = new Map(known.map(alert => [keyOf(alert), alert]))
  for (const concern of new Map(concerns.map(each => [keyOf(each), each])).values()) {
    const alert: OpenAlert = {
      ...(before.get(keyOf(concern)) ?? { id: newId(), openedAt: now, notifiedAt: null, remindedAt: null }),
      ...concern,
      goneAt: null,
    }
    before.delete(keyOf(concern))
    const last = alert.remindedAt ?? alert.notifiedAt
    const due = last === null ? passed(alert.openedAt, now, afterMs) : passed(last, now, repeatMs)
    const notify = due && concern.urgency === 'alert' && !isSilent(alert, silences, now)
    const next = notify ? { ...alert, notifiedAt: alert.notifiedAt ?? now, remindedAt: now } : alert
    if (notify) (last === null ? round.opened : round.reminded).push(next)
    round.open.push(next)
  }
  for (const alert of before.values()) {
    const goneAt = alert.goneAt ?? now
    if (!passed(goneAt, now, afterMs)) {
      round.open.push({ ...alert, goneAt })
      continue
    }
    round.over.push(alert.id)
    if (alert.notifiedAt !== null && !isSilent(alert, silences, now)) round.recovered.push(alert)
  }
  return round
}

const keyOf = ({ kind, subject }: Pick<Concern, 'kind' | 'subject'>) => `${kind} ${subject}`

/** A clock that was set back must not keep operators waiting. */
function passed(since: number, now: number, ms: number): boolean {
  return now - since >= ms || now < since
}

/** Whether a silence covers an alert now. */
export function isSilent(
  alert: Pick<Alert, 'kind' | 'subdomain'>,
  silences: readonly Pick<Silence, 'kind' | 'subdomain' | 'until'>[],
  now: number,
): boolean {
  return silences.some(
    ({ kind, subdomain, until }) =>
      now < until &&
      (kind === null || kind === alert.kind) &&
      (subdomain === null || subdomain === alert.subdomain),
  )
}

import { type InstanceReport, latencyBoundsMs } from '../router/contract.ts'

/** What passed to and from one instance within some time. */
export interface Counts {
  /** Answers by class of status: 1xx, 2xx, 3xx, 4xx, 5xx. */
  answers: readonly number[]
  /** Answers that did not arrive whole. */
  broken: number
  /** Requests that a limit kept from it. */
  refused: number
  bytesIn: number
  bytesOut: number
  /** Answers by `latencyBoundsMs`, and those beyond. */
  latency: readonly number[]
}

export const noCounts: Counts = {
  answers: [0, 0, 0, 0, 0],
  ...{ broken: 0, refused: 0, bytesIn: 0, bytesOut: 0 },
  latency: new Array<number>(latencyBoundsMs.length + 1).fill(0),
}

export function countsOf(report: InstanceReport): Counts {
  const { answers, broken, refused, bytesIn, bytesOut, latency } = report
  return { answers, broken, refused, bytesIn, bytesOut, latency: latency.counts }
}

export function sum(one: Counts, other: Counts): Counts {
  return combine(one, other, (a, b) => a + b)
}

/** What is new since `before`; null when nothing is. What fell began again at zero. */
export function since(before: Counts | undefined, now: Counts): Counts | null {
  const news = before && isAtLeast(now, before) ? combine(now, before, (a, b) => a - b) : now
  return hasAny(news) ? news : null
}

/** All requests: answered, broken off and refused. */
export function requestsOf({ answers, broken, refused }: Counts): number {
  return answers.reduce((all, count) => all + count, broken + refused)
}

/**
 * How long answers took that are slower than this share of all, in milliseconds: between the bounds, it is taken to grow evenly.
 * Null without any.
 */
export function percentile({ latency }: Counts, share: number): number | null {
  const all = latency.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  let left = all * share
  for (const [index, count] of latency.entries()) {
    const from = latencyBoundsMs[index - 1] ?? 0
    // What took longer than the last bound counts as that long.
    const to = latencyBoundsMs[index] ?? from
    if (left <= count) return from + (to - from) * (count === 0 ? 0 : left / count)
    left -= count
  }
  return latencyBoundsMs.at(-1) ?? null
}

function combine(one: Counts, other: Counts, by: (a: number, b: number) => number): Counts {
  const each = (some: readonly number[], others: readonly number[]) =>
    some.map((count, index) => by(count, others[index] ?? 0))
  return {
    answers: each(one.answers, other.answers),
    broken: by(one.broken, other.broken),
    refused: by(one.refused, other.refused),
    bytesIn: by(one.bytesIn, other.bytesIn),
    bytesOut: by(one.bytesOut, other.bytesOut),
    latency: each(one.latency, other.latency),
  }
}

const isAtLeast = (now: Counts, before: Counts) =>
  requestsOf(now) >= requestsOf(before) && now.bytesIn >= before.bytesIn && now.bytesOut >= before.bytesOut

const hasAny = (counts: Counts) => requestsOf(counts) > 0 || counts.bytesIn > 0 || counts.bytesOut > 0

import type { Clock } from '../../src/clock.ts'
import type { BusiestMinute, UsagePeriod } from '../provisioner/contract.ts'
import type { RouterService } from '../router/contract.ts'
import { type Counts, countsOf, noCounts, requestsOf, since, sum } from './counts.ts'
import type { TrafficStore } from './store.ts'

/** What *now* means: the rounds of the last minute. */
const lateMs = 60_000
const minuteMs = 60_000
/** How many instances a round keeps at least, of a minute that is over. */
const leastKept = 100

/** What passed in one minute, from `at` on. */
interface Minute {
  at: number
  counts: Map<string, Counts>
}

/** An instance's traffic now, and over a period. */
export interface Traffic {
  now: Counts & {
    /** How long that took. */
    seconds: number
    inProgress: number
  }
  from: number
  to: number
  stretchMs: number
  /** Oldest first. A stretch without traffic is left out. */
  points: readonly (Counts & { at: number })[]
}

interface Round {
  /** When it ended, and the one before it, on the monotonic clock. */
  at: number
  began: number
  counts: ReadonlyMap<string, Counts>
}

/** Reads in rounds what the router counted: keeps each minute, and holds the last one in memory for live pages. */
export function createWatch(parts: {
  router: Pick<RouterService, 'traffic'>
  store: TrafficStore
  clock: Clock
}) {
  const { router, store, clock } = parts
  let before = new Map<string, Counts>()
  let inProgress = new Map<string, number>()
  let rounds: Round[] = []
  let began = clock.monotonic()
  /** The minute that goes on. */
  let current: Minute = { at: minuteOf(clock.now()), counts: new Map() }
  /** The one before it, as far as it is not kept yet: a part of it in each round, so that no round takes long. */
  let due: Minute = { at: current.at, counts: new Map() }
  let part = leastKept
  let keptMs = 0
  /** The minute in which sums were last made. */
  let tidied: number | null = null

  const keep = (most: number) => {
    if (due.counts.size === 0) return
    const start = performance.now()
    const now = new Map([...due.counts].slice(0, most))
    store.keep(now, due.at)
    for (const instanceId of now.keys()) due.counts.delete(instanceId)
    keptMs = performance.now() - start
  }

  const look = () => {
    const at = clock.monotonic()
    const seen = new Map<string, Counts>()
    const counts = new Map<string, Counts>()
    const open = new Map<string, number>()
    for (const report of router.traffic()) {
      const { instanceId } = report
      const all = countsOf(report)
      seen.set(instanceId, all)
      if (report.inProgress > 0) open.set(instanceId, report.inProgress)
      const news = since(before.get(instanceId), all)
      if (!news) continue
      counts.set(instanceId, news)
      add(current.counts, instanceId, news)
    }
    before = seen
    inProgress = open
    rounds = [...rounds.filter(round => at - round.began < lateMs), { at, began, counts }]
    began = at
  }

  return {
    /** One round. What it finds belongs to the minute that it is in. */
    round: (): void => {
      const at = minuteOf(clock.now())
      if (at !== current.at) {
        keep(due.counts.size)
        due = current
        part = Math.max(leastKept, Math.ceil(due.counts.size / 10))
        current = { at, counts: new Map() }
      }
      keep(part)
      // Sums are made of whole minutes. They are due after quiet ones too.
      if (due.counts.size === 0 && tidied !== at) {
        store.tidy(clock.now())
        tidied = at
      }
      look()
    },

    /** Keeps what waits: the program stops. */
    stop: (): void => {
      look()
      keep(due.counts.size)
      due = current
      current = { at: current.at, counts: new Map() }
      keep(due.counts.size)
    },

    read: (instanceId: string, period: UsagePeriod): Traffic => {
      // Many pages may be open.
      if (clock.monotonic() - began >= 1000) look()
      const { points, ...span } = store.read(instanceId, period, clock.now())
      const byStretch = new Map<number, Counts>(points.map(({ at, ...counts }) => [at, counts]))
      for (const { at, counts } of [due, current]) {
        const late = counts.get(instanceId)
        if (late) add(byStretch, Math.floor(at / span.stretchMs) * span.stretchMs, late)
      }
      const mine = rounds.flatMap(({ counts }) => counts.get(instanceId) ?? [])
      const seconds = Math.max(1, (clock.monotonic() - (rounds[0]?.began ?? began)) / 1000)
      return {
        now: {
          ...mine.reduce(sum, noCounts),
          seconds,
          inProgress: inProgress.get(instanceId) ?? 0,
        },
        ...span,
        points: [...byStretch].map(([at, counts]) => ({ at, ...counts })).sort((a, b) => a.at - b.at),
      }
    },

    /** The minute of the last day with the most requests; null without any. */
    busiestMinute: (instanceId: string): BusiestMinute | null => {
      const { points } = store.read(instanceId, 'dayByMinute', clock.now())
      const byMinute = new Map<number, Counts>(points.map(({ at, ...counts }) => [at, counts]))
      for (const { at, counts } of [due, current]) {
        const late = counts.get(instanceId)
        if (late) add(byMinute, at, late)
      }
      return busiestOf(byMinute)
    },

    forget: (instanceId: string): void => {
      due.counts.delete(instanceId)
      current.counts.delete(instanceId)
      store.forget(instanceId)
    },

    /** How long the last part of a minute took to keep, and of how many instances there was traffic of late. */
    figures: () => ({ keptMs, instances: new Set(rounds.flatMap(({ counts }) => [...counts.keys()])).size }),
  }
}
export type Watch = ReturnType<typeof createWatch>

function busiestOf(minutes: ReadonlyMap<number, Counts>): BusiestMinute | null {
  return [...minutes]
    .map(([at, counts]) => ({ at, requests: requestsOf(counts), refused: counts.refused }))
    .reduce<BusiestMinute | null>(
      (busiest, each) => (each.requests > (busiest?.requests ?? 0) ? each : busiest),
      null,
    )
}

const minuteOf = (now: number) => Math.floor(now / minuteMs) * minuteMs

function add<Key>(all: Map<Key, Counts>, key: Key, more: Counts): void {
  const known = all.get(key)
  all.set(key, known ? sum(known, more) : more)
}

import type { Clock } from '../../src/clock.ts'
import type { UsagePeriod } from '../provisioner/contract.ts'
import type { RouterService } from '../router/contract.ts'
import { type Counts, countsOf, noCounts, since, sum } from './counts.ts'
import type { TrafficStore } from './store.ts'

/** What *now* means: the rounds of the last minute. */
const lateMs = 60_000
const minuteMs = 60_000

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
  /** What is not kept yet, and the minute that it belongs to. */
  let waiting = new Map<string, Counts>()
  let minute = Math.floor(clock.now() / minuteMs)
  let keptMs = 0

  const keep = () => {
    const start = performance.now()
    store.keep(waiting, minute * minuteMs)
    waiting = new Map()
    store.tidy(clock.now())
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
      const known = waiting.get(instanceId)
      waiting.set(instanceId, known ? sum(known, news) : news)
    }
    before = seen
    inProgress = open
    rounds = [...rounds.filter(round => at - round.began < lateMs), { at, began, counts }]
    began = at
  }

  return {
    /** One round. What it finds belongs to the minute that it is in. */
    round: (): void => {
      const current = Math.floor(clock.now() / minuteMs)
      if (current !== minute) {
        keep()
        minute = current
      }
      look()
    },

    /** Keeps what waits: the program stops. */
    stop: (): void => {
      look()
      keep()
    },

    read: (instanceId: string, period: UsagePeriod): Traffic => {
      // Many pages may be open.
      if (clock.monotonic() - began >= 1000) look()
      const { points, ...span } = store.read(instanceId, period, clock.now())
      const late = waiting.get(instanceId)
      const stretch = Math.floor((minute * minuteMs) / span.stretchMs) * span.stretchMs
      const last = points.find(({ at }) => at === stretch)
      const whole = !late
        ? points
        : last
          ? points.map(point => (point === last ? { ...sum(point, late), at: stretch } : point))
          : [...points, { ...late, at: stretch }]
      const mine = rounds.flatMap(({ counts }) => counts.get(instanceId) ?? [])
      const seconds = Math.max(1, (clock.monotonic() - (rounds[0]?.began ?? began)) / 1000)
      return {
        now: {
          ...mine.reduce(sum, noCounts),
          seconds,
          inProgress: inProgress.get(instanceId) ?? 0,
        },
        ...span,
        points: whole,
      }
    },

    forget: (instanceId: string): void => {
      waiting.delete(instanceId)
      store.forget(instanceId)
    },

    /** How long keeping the last minute took, and of how many instances there was traffic of late. */
    figures: () => ({ keptMs, instances: new Set(rounds.flatMap(({ counts }) => [...counts.keys()])).size }),
  }
}
export type Watch = ReturnType<typeof createWatch>

import type { InstanceReport, LatencyCounts } from '../contract.ts'

/** How many requests were answered. */
export function answersOf({ answers }: InstanceReport): number {
  return answers.reduce((all, count) => all + count, 0)
}

/** The name is the later one's: an instance may be renamed. */
export function sum(one: InstanceReport, other: InstanceReport): InstanceReport {
  return {
    instanceId: other.instanceId,
    subdomain: other.subdomain,
    answers: sums(one.answers, other.answers),
    broken: one.broken + other.broken,
    refused: one.refused + other.refused,
    upgraded: one.upgraded + other.upgraded,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    latency: sumLatency(one.latency, other.latency),
    inProgress: one.inProgress + other.inProgress,
  }
}

export function sumLatency(one: LatencyCounts, other: LatencyCounts): LatencyCounts {
  return { counts: sums(one.counts, other.counts), sumMs: one.sumMs + other.sumMs }
}

const sums = (some: readonly number[], others: readonly number[]) =>
  some.map((count, index) => count + (others[index] ?? 0))

export function addTo(all: number[], more: readonly number[]): void {
  more.forEach((count, index) => {
    all[index] = (all[index] ?? 0) + count
  })
}

export function countBy(all: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [word, count] of Object.entries(more)) all.set(word, (all.get(word) ?? 0) + count)
}

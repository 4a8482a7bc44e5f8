import { addedBoundsMs, type EdgeReport, type InstanceReport, latencyBoundsMs } from '../contract.ts'

/** Counts what the edge does with requests for instances. Counting one is a few increments: it is done for every request. */
export class EdgeTally {
  readonly #instances = new Map<string, InstanceTally>()
  /** Requests that no instance saw, by reason. */
  #refused: Record<string, number> = {}
  /** Requests that the edge answered itself, by the code of the problem. */
  #problems: Record<string, number> = {}
  #added = zeros(addedBoundsMs)
  #addedMs = 0
  /** Tunnels and event streams: their bytes are counted while they last. */
  readonly lasting = new Set<{ countBytes(): void }>()

  /** The counts of one instance. They may be dropped by the next report, unless a request is in progress. */
  of(instanceId: string, subdomain: string): InstanceTally {
    let tally = this.#instances.get(instanceId)
    if (!tally) {
      tally = new InstanceTally(instanceId, subdomain)
      this.#instances.set(instanceId, tally)
    }
    return tally
  }

  /** A request that no instance saw. `reason` is one of a few fixed words. */
  refused(reason: string): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1
  }

  /** A request that the edge answered itself. */
  answeredHere(problem: string): void {
    this.#problems[problem] = (this.#problems[problem] ?? 0) + 1
  }

  /** The time that the edge added to a request, in milliseconds. */
  added(ms: number): void {
    count(this.#added, addedBoundsMs, ms)
    this.#addedMs += ms
  }

  /** What is new since the last report, and what is in progress now. */
  report({ held, logDropped }: { held: number; logDropped: number }): EdgeReport {
    for (const each of this.lasting) each.countBytes()
    const instances: InstanceReport[] = []
    for (const tally of this.#instances.values()) {
      if (tally.isQuiet) this.#instances.delete(tally.instanceId)
      else instances.push(tally.take())
    }
    const report = {
      refused: this.#refused,
      problems: this.#problems,
      added: { counts: this.#added, sumMs: this.#addedMs },
      held,
      logDropped,
      instances,
    }
    this.#refused = {}
    this.#problems = {}
    this.#added = zeros(addedBoundsMs)
    this.#addedMs = 0
    return report
  }
}

/** The counts of one instance since the last report. */
export class InstanceTally {
  readonly instanceId: string
  readonly subdomain: string
  inProgress = 0
  bytesIn = 0
  bytesOut = 0
  #answers = [0, 0, 0, 0, 0]
  #broken = 0
  #refused = 0
  #upgraded = 0
  #latency = zeros(latencyBoundsMs)
  #latencyMs = 0
  #changed = false

  constructor(instanceId: string, subdomain: string) {
    this.instanceId = instanceId
    this.subdomain = subdomain
  }

  /** Whether there is nothing to report. */
  get isQuiet(): boolean {
    return !this.#changed && this.inProgress === 0
  }

  /** A request was admitted. */
  begin(): void {
    this.inProgress++
    this.#changed = true
  }

  /** An admitted request was answered with this status, by the instance or for it; `ms` until the head of the answer. */
  answered(status: number, ms: number): void {
    this.inProgress--
    this.#changed = true
    if (status === 101) this.#upgraded++
    const index = Math.floor(status / 100) - 1
    this.#answers[index] = (this.#answers[index] ?? 0) + 1
    count(this.#latency, latencyBoundsMs, ms)
    this.#latencyMs += ms
  }

  /** An admitted request is over, and its answer did not arrive whole. */
  broke(): void {
    this.inProgress--
    this.#changed = true
    this.#broken++
  }

  /** A request for it was not admitted. */
  refused(): void {
    this.#changed = true
    this.#refused++
  }

  take(): InstanceReport {
    const report = {
      instanceId: this.instanceId,
      subdomain: this.subdomain,
      answers: this.#answers,
      broken: this.#broken,
      refused: this.#refused,
      upgraded: this.#upgraded,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      latency: { counts: this.#latency, sumMs: this.#latencyMs },
      inProgress: this.inProgress,
    }
    this.#answers = [0, 0, 0, 0, 0]
    this.#latency = zeros(latencyBoundsMs)
    this.#latencyMs = this.bytesIn = this.bytesOut = 0
    this.#broken = this.#refused = this.#upgraded = 0
    this.#changed = false
    return report
  }
}

/** One count for each bound, and one for what is beyond the last. */
function zeros(bounds: readonly number[]): number[] {
  return new Array<number>(bounds.length + 1).fill(0)
}

function count(counts: number[], bounds: readonly number[], ms: number): void {
  let index = 0
  while (index < bounds.length && ms > (bounds[index] as number)) index++
  counts[index] = (counts[index] as number) + 1
}

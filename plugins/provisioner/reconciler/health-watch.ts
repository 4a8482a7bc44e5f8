import type { Clock } from '../../../src/clock.ts'
import type { HealthObservation, RunsNow } from '../contract.ts'

/** `answers`: it answered as itself lately, and only its checks failed. */
export type HealthWait = { healthy: true } | { healthy: false; answers: boolean; reason: string }

/** How many observations in a row must fail before an instance counts as unhealthy, or as not answering. */
export const failuresUntilOut = 3

/** Counts health observations, and hands them to the operation that waits for its instance to become healthy. */
export class HealthWatch {
  readonly #clock: Clock
  readonly #waiting = new Map<string, (observation: HealthObservation, silences: number) => void>()
  readonly #failures = new Map<string, number>()
  readonly #silences = new Map<string, number>()
  readonly #lastHealthyAt = new Map<string, number>()
  readonly #versions = new Map<string, string>()
  readonly #runs = new Map<string, RunsNow>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes an observation; returns how often in a row the instance has now been seen unhealthy, and did not answer. */
  record(instanceId: string, observation: HealthObservation): { failures: number; silences: number } {
    const failures = observation.healthy ? 0 : (this.#failures.get(instanceId) ?? 0) + 1
    const answers = observation.healthy || observation.answers
    const silences = answers ? 0 : (this.#silences.get(instanceId) ?? 0) + 1
    if (silences === 0) this.#silences.delete(instanceId)
    else this.#silences.set(instanceId, silences)
    if (observation.healthy) {
      this.#lastHealthyAt.set(instanceId, observation.at)
      if (observation.version !== undefined) this.#versions.set(instanceId, observation.version)
    }
    if (observation.healthy && observation.runs) this.#runs.set(instanceId, observation.runs)
    else this.#runs.delete(instanceId)
    if (failures === 0) this.#failures.delete(instanceId)
    else this.#failures.set(instanceId, failures)
    this.#waiting.get(instanceId)?.(observation, silences)
    return { failures, silences }
  }

  /** When an instance was last seen healthy, since this program started. */
  lastHealthyAt(instanceId: string): number | null {
    return this.#lastHealthyAt.get(instanceId) ?? null
  }

  /** The version of its runtime when it was last seen healthy, since this program started. */
  versionOf(instanceId: string): string | null {
    return this.#versions.get(instanceId) ?? null
  }

  /** Its runs when it was last looked at; null when it did not say, or was not healthy. */
  runsOf(instanceId: string): RunsNow | null {
    return this.#runs.get(instanceId) ?? null
  }

  forget(instanceId: string): void {
    this.#runs.delete(instanceId)
    this.#versions.delete(instanceId)
    this.#failures.delete(instanceId)
    this.#silences.delete(instanceId)
    this.#lastHealthyAt.delete(instanceId)
  }

  /**
   * Waits until an instance is seen healthy, `withinMs` is over, or `signal` aborts. With `checksWithinMs` it waits no longer than
   * that once the instance answers, is not starting, and its checks fail.
   */
  async wait(
    instanceId: string,
    withinMs: number,
    signal: AbortSignal,
    checksWithinMs: number | null = null,
  ): Promise<HealthWait> {
    const over = new AbortController()
    let result: HealthWait = { healthy: false, answers: false, reason: 'it was never reached' }
    let patience: Promise<void> | null = null
    this.#failures.delete(instanceId)
    this.#silences.delete(instanceId)
    this.#waiting.set(instanceId, (observation, silences) => {
      // One look may be lost on the way.
      const answered = !result.healthy && result.answers && silences < failuresUntilOut
      result = observation.healthy
        ? observation
        : { ...observation, answers: observation.answers || answered }
      if (observation.healthy) over.abort()
      else if (checksWithinMs !== null && !patience && observation.answers && !observation.starting)
        patience = this.#clock.sleep(checksWithinMs, over.signal).then(() => over.abort())
    })
    try {
      await this.#clock.sleep(withinMs, AbortSignal.any([over.signal, signal]))
    } finally {
      this.#waiting.delete(instanceId)
      over.abort()
    }
    return result
  }
}

import type { Metric } from './exposition.ts'

/** Counts observations in buckets, as Prometheus' histograms do. */
export class Histogram {
  /** The upper bounds, ascending. */
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#bounds.forEach((bound, index) => {
      if (value <= bound) this.#counts[index] = (this.#counts[index] ?? 0) + 1
    })
    this.#sum += value
    this.#count++
  }

  /** Its samples, each with these labels. */
  samples(labels: Readonly<Record<string, string>>): Metric['samples'] {
    return [
      ...this.#bounds.map((le, index): Metric['samples'][number] => [
        { ...labels, le: String(le) },
        this.#counts[index] ?? 0,
        '_bucket',
      ]),
      [{ ...labels, le: '+Inf' }, this.#count, '_bucket'],
      [labels, this.#sum, '_sum'],
      [labels, this.#count, '_count'],
    ]
  }
}

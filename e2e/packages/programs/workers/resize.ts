import { sum } from '../lib/sum'

interface Work {
  data: { sizes?: number[] }
  progress(value: number): void
}

/** A processor of a queue. */
export default async function resize({ data, progress }: Work): Promise<{ total: number }> {
  if (!data.sizes) throw new Error('no sizes given')
  progress(50)
  return { total: sum(data.sizes) }
}

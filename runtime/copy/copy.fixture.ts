import { PassThrough } from 'node:stream'
import { packVolume } from './pack.ts'

/** A copy of a volume, with its whole archive in memory. */
export async function copyOf(volume: string) {
  const output = new PassThrough()
  const [bytes, inventory] = await Promise.all([Array.fromAsync(output), packVolume(volume, output, 1000)])
  return { archive: Buffer.concat(bytes), inventory }
}

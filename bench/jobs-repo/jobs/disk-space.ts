import { statfs } from 'node:fs/promises'

/** Fails when the disk is nearly full. */
export async function run() {
  const { bavail, blocks } = await statfs('.')
  const free = bavail / blocks
  if (free < 0.02) throw new Error(`only ${(free * 100).toFixed(1)} % of the disk is free`)
  return free
}

import { join } from 'node:path'
import Queue from 'bull'
import childPool from 'bull/lib/process/child-pool.js'
import sandbox from 'bull/lib/process/sandbox.js'

/**
 * What `queue.process(file)` does when a queue has work: a process that requires the file by its name, is handed the
 * work, and tells how far it is. The queue itself needs a Redis that runs scripts.
 */
export async function run() {
  const pool = childPool()
  const work = sandbox(join(import.meta.dirname, '../workers/resize.ts'), pool)
  const told: number[] = []
  const job = { id: '1', data: { sizes: [16, 32] }, progress: (value: number) => told.push(value), log() {} }
  const first = await work(job)
  const failed = await work({ ...job, data: {} }).catch((error: Error) => error.message)
  await pool.clean()
  return { first, told, failed, queue: typeof Queue }
}

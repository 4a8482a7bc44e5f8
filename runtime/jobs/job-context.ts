import { format } from 'node:util'
import type { JobContext } from '../sdk/jobs.js'
import type { RunRequest } from './running.ts'

/** What a job's function gets. `signal` is asked for when the job looks at it, and not before. */
export function contextOf(request: RunRequest, signal: () => AbortSignal): JobContext {
  const { id, slot, attempt, trigger } = request.run
  return {
    params: request.params,
    get signal() {
      return signal()
    },
    run: { id, slot: slot === null ? null : new Date(slot), attempt, trigger },
    log: (...values) => void process.stdout.write(`${format(...values)}\n`),
  }
}

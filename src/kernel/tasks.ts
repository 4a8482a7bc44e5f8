import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'

/** Work that repeats. `run` does it once and is what tests call; the loop around it is `startTask`. */
export interface Task {
  name: string
  /** From the end of one round to the beginning of the next. */
  everyMs: number
  run(signal: AbortSignal): Promise<void>
}

/** Consecutive failed rounds before the failure is reported: one or two may be temporary. */
const failuresTold = 3

export interface RunningTask {
  /** In words, when the last three rounds failed or more; one good round ends it. */
  fault(): string | null
  /** Starts the next round now rather than when it is due; one nudge during a round makes one more round. */
  nudge(): void
  /** Aborts the signal and waits for the round that is going. */
  stop(): Promise<void>
}

/** Runs a task until it is stopped. A round that throws is logged, and the next one comes as usual. */
export function startTask(task: Task, { clock, log }: { clock: Clock; log: Logger }): RunningTask {
  const stopping = new AbortController()
  let waiting = new AbortController()
  let nudged = false
  let failures = 0
  let lastError = ''

  const loop = async () => {
    while (!stopping.signal.aborted) {
      nudged = false
      try {
        await task.run(stopping.signal)
        failures = 0
      } catch (error) {
        failures++
        lastError = error instanceof Error ? error.message : String(error)
        log.error({ err: error, task: task.name }, 'task failed')
      }
      waiting = new AbortController()
      if (!nudged && !stopping.signal.aborted) await clock.sleep(task.everyMs, waiting.signal)
    }
  }
  const running = loop()

  const nudge = () => {
    nudged = true
    waiting.abort()
  }
  return {
    fault: () =>
      failures < failuresTold ? null : `the last ${failures} rounds failed, most recently with: ${lastError}`,
    nudge,
    stop: async () => {
      stopping.abort()
      nudge()
      await running
    },
  }
}

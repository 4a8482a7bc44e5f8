import type { Clock } from '../clock.ts'
import { giveWay } from '../concurrency.ts'
import type { Logger } from '../log.ts'

/** A periodic task. `run` does it once and is what tests call; `startTask` loops. */
export interface Task {
  name: string
  /** The pause between the end of one round and the start of the next. */
  everyMs: number
  run(signal: AbortSignal): Promise<void>
}

/** Consecutive failed rounds before the failure is reported: one or two may be temporary. */
const failuresBeforeReport = 3

export interface RunningTask {
  /** The error if the last three rounds or more have failed; null after a successful one. */
  fault(): string | null
  /** When the last round that did not fail ended; null before the first. */
  succeededAt(): number | null
  /** Starts the next round once the present one of the event loop is over; during a round, one more round follows. */
  nudge(): void
  /** Aborts the signal and waits for the round in progress. */
  stop(): Promise<void>
}

/** Runs a task until it is stopped. A round that throws is logged, and the next one runs as usual. */
export function startTask(task: Task, { clock, log }: { clock: Clock; log: Logger }): RunningTask {
  const stopping = new AbortController()
  let waiting = new AbortController()
  let nudged = false
  let failures = 0
  let lastError = ''
  let succeededAt: number | null = null

  const loop = async () => {
    while (!stopping.signal.aborted) {
      nudged = false
      try {
        await task.run(stopping.signal)
        failures = 0
        succeededAt = clock.now()
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

  let waking = false
  const wake = () => {
    waking = false
    waiting.abort()
  }
  const nudge = () => {
    nudged = true
    if (waking) return
    waking = true
    // Changes that follow each other within one round of the event loop share the next round here.
    setImmediate(wake)
  }
  return {
    fault: () =>
      failures < failuresBeforeReport
        ? null
        : `the last ${failures} rounds failed, most recently with: ${lastError}`,
    succeededAt: () => succeededAt,
    nudge,
    stop: async () => {
      stopping.abort()
      wake()
      await running
    },
  }
}

/**
 * Starts tasks, each in a round of the event loop of its own, and enters them in `running`. One that kept the event loop
 * is followed by a pause as long: the first rounds of a large fleet would otherwise keep the requests that came meanwhile
 * waiting for all of them. Calls `begun` when the last one has. Returns their stop; a task that has not begun by then never does.
 */
export function startTasks(
  tasks: ReadonlyMap<string, Task>,
  {
    running,
    begun = () => {},
    ...parts
  }: { clock: Clock; log: Logger; running: Map<string, RunningTask>; begun?: () => void },
): () => Promise<void> {
  let isStopping = false
  const startAll = async () => {
    for (const [name, task] of tasks) {
      const begunAt = performance.now()
      running.set(name, startTask(task, parts))
      await giveWay(begunAt)
      if (isStopping) return
    }
  }
  void startAll().finally(begun)
  return async () => {
    isStopping = true
    await Promise.all([...running.values()].map(task => task.stop()))
  }
}

import type { RunLog } from '../../runner/run-log.ts'
import type { RunProcess } from '../../runner/run-process.ts'
import type { RunEnding, RunRow } from './run-record.ts'
import { keyOf, nextToStart, type QueuedRun, type QueueFacts } from './start-rule.ts'

/** A run that has not ended. */
export interface ActiveRun extends QueuedRun {
  row: RunRow
  log: RunLog
  process: RunProcess | null
  started: boolean
  /** How the run is to end, once something decided that it must. */
  ending: Pick<RunEnding, 'status' | 'error'> | null
  /** Resolves when the run has ended. */
  done: Promise<void>
}

/** The runs that have not ended: by id, by job, and in the queue. */
export class ActiveRuns {
  readonly #byId = new Map<string, ActiveRun>()
  readonly #byJob = new Map<string, Set<ActiveRun>>()
  readonly #queued: ActiveRun[] = []
  readonly #keysInUse = new Set<string>()
  readonly #concurrent: number
  #running = 0

  constructor(concurrent: number) {
    this.#concurrent = concurrent
  }

  get queued(): readonly ActiveRun[] {
    return this.#queued
  }

  find(id: string): ActiveRun | null {
    return this.#byId.get(id) ?? null
  }

  all(): Iterable<ActiveRun> {
    return this.#byId.values()
  }

  /** In the order in which they were added. */
  ofJob(jobId: string): ReadonlySet<ActiveRun> {
    return this.#byJob.get(jobId) ?? none
  }

  /** Adds a run to the end of the queue. */
  add(run: ActiveRun): void {
    const { id, jobId } = run.row
    this.#byId.set(id, run)
    const ofJob = this.#byJob.get(jobId)
    if (ofJob) ofJob.add(run)
    else this.#byJob.set(jobId, new Set([run]))
    this.#queued.push(run)
  }

  /** Takes the first run out of the queue that may start, and counts it as in progress; null when none may. */
  startNext(monotonic: number): ActiveRun | null {
    const position = nextToStart(this.#queued, this.facts(monotonic, false))
    const [next] = position < 0 ? [] : this.#queued.splice(position, 1)
    if (!next) return null
    const key = keyOf(next.row)
    if (key !== '') this.#keysInUse.add(key)
    next.started = true
    this.#running++
    return next
  }

  /** Whether another run would start at once, if nothing else is in its way. */
  hasRoom(): boolean {
    return this.#queued.length === 0 && this.#running < this.#concurrent
  }

  /** Makes room for another run after one that was in progress. */
  release({ row }: ActiveRun): void {
    this.#running--
    this.#keysInUse.delete(keyOf(row))
  }

  /** Takes a run out of the queue; false when it is not there. */
  dequeue(run: ActiveRun): boolean {
    const position = this.#queued.indexOf(run)
    if (position < 0) return false
    this.#queued.splice(position, 1)
    return true
  }

  /** Forgets a run that has ended. */
  remove(run: ActiveRun): void {
    const { id, jobId } = run.row
    this.#byId.delete(id)
    const ofJob = this.#byJob.get(jobId)
    ofJob?.delete(run)
    if (ofJob?.size === 0) this.#byJob.delete(jobId)
  }

  facts(monotonic: number, stopping: boolean): QueueFacts {
    return {
      monotonic,
      stopping,
      running: this.#running,
      concurrent: this.#concurrent,
      keysInUse: this.#keysInUse,
      runInProgress: this.#runInProgress,
    }
  }

  readonly #runInProgress = (jobId: string): string | null => {
    for (const { started, row } of this.ofJob(jobId)) if (started) return row.id
    return null
  }
}

const none: ReadonlySet<ActiveRun> = new Set()

import { join } from 'node:path'
import { type Clock, timestamp } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { maskEnd } from '../../runner/masked-end.ts'
import { createRunLog, logFile, type RunLog } from '../../runner/run-log.ts'
import { type RunEnd, type RunProcess, startRunProcess } from '../../runner/run-process.ts'
import { createRunners } from '../../runner/spare-runner.ts'
import type { SecretsService } from '../../secrets/contract.ts'
import type { StateService } from '../../state/contract.ts'
import type { Folders } from '../../volume/contract.ts'
import type { WaitingRun } from '../contract.ts'
import { isCaughtUp, pauseBefore } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import { activeRuns, markEnded, markStarted, type RunEnding, type RunRow } from './run-record.ts'

export interface RunLimits {
  /** Runs that go at the same time; the others wait in order. */
  concurrent: number
  /**
   * Beyond so many that wait, nobody may add one by hand. Slots are not counted out: a schedule has one run waiting at
   * most, unless it asks for more.
   */
  waiting: number
  /** What a run may hold with all that it starts, in MiB, when its job does not say. */
  memoryMb: number
  /** How long a run may take to tidy up when it is asked to end. */
  graceMs: number
}

interface ActiveRun {
  row: RunRow
  /** Not to start before this reading of the monotonic clock. */
  startsAt: number
  log: RunLog
  process: RunProcess | null
  /** Never beside another run of its job; those that somebody asked for may be. */
  serial: boolean
  started: boolean
  /** What it ends as, once somebody decided that it must. */
  ending: Pick<RunEnding, 'status' | 'error'> | null
  done: Promise<void>
}

/** So many logs of ended runs are held in memory while the disk does not take them. */
const unsavedLogs = 20

/** Runs what it is given, so many at a time. */
export interface RunQueue {
  /** Takes rows that are in the database as `queued`. */
  add(rows: readonly RunRow[]): void
  /** Starts those whose time has come. */
  wake(): void
  /** A slot is due in a moment. */
  expect(): void
  isFull(): boolean
  isStopped(): boolean
  /** Those that wait, in the order in which they are to start, and what each waits for. */
  waiting(): WaitingRun[]
  /** The newest run of the job that has not ended; an attempt that waits for its time is none. */
  activeRun(jobId: string): RunRow | null
  /** How many runs of the job have not ended. */
  count(jobId: string): number
  /** Whether slots of the job that came up late still run or wait. */
  isCatchingUp(jobId: string): boolean
  /** Ends what the job has active, for the sake of another run. */
  replace(jobId: string, by: RunRow): void
  /** The log of a run that has not ended. */
  log(runId: string): RunLog | null
  /** The builds that runs still need. */
  builds(): Set<string>
  /** Resolves when the run has ended; at once when it is not active. */
  cancel(runId: string): Promise<void>
  /** Records what could not be recorded when it happened, and ends runs that the table has and nobody else. */
  settle(): void
  /**
   * Starts none any more. Resolves when those that go are over: by themselves within `waitMs`, else interrupted, with
   * `tidyMs` to tidy up. Those that wait stay as they are, for the next runtime.
   */
  stop(limits: { waitMs: number; tidyMs?: number }): Promise<void>
}

export function createRunQueue(options: {
  db: JobsDb
  volume: Folders
  secrets: Pick<SecretsService, 'reveal'>
  state: Pick<StateService, 'of'>
  clock: Clock
  log: Logger
  limits: RunLimits
  env: Record<string, string>
}): RunQueue {
  const { db, volume, secrets, state, clock, log, limits, env } = options
  const { memoryMb } = limits
  const runners = createRunners({ volumeDir: volume.dir, jobsDir: volume.jobsDir, memoryMb, env })
  const active = new Map<string, ActiveRun>()
  const byJob = new Map<string, Set<ActiveRun>>()
  const waiting: ActiveRun[] = []
  /** Ends that the database did not take, and logs that the disk did not take. */
  const unrecorded = new Map<string, { ending: RunEnding; at: number }>()
  const unsaved = new Map<string, RunLog>()
  const keysInUse = new Set<string>()
  let running = 0
  let stopped = false

  const add = (rows: readonly RunRow[]) => {
    for (const row of rows) {
      const run: ActiveRun = {
        row,
        startsAt: clock.monotonic() + pauseBefore(row, clock.now()),
        log: createRunLog(logFile(volume.runsDir, row.id), clock),
        process: null,
        serial: row.trigger === 'schedule' || row.attempt > 1,
        started: false,
        ending: null,
        done: Promise.resolve(),
      }
      active.set(row.id, run)
      byJob.set(row.jobId, (byJob.get(row.jobId) ?? new Set()).add(run))
      waiting.push(run)
    }
    startWaiting()
  }

  const startWaiting = () => {
    while (!stopped && running < limits.concurrent) {
      const position = waiting.findIndex(isFree)
      const [next] = position < 0 ? [] : waiting.splice(position, 1)
      if (!next) return
      running++
      next.started = true
      const key = next.row.policy?.concurrencyKey
      if (key) keysInUse.add(key)
      next.done = perform(next).finally(() => {
        running--
        if (key) keysInUse.delete(key)
        startWaiting()
      })
    }
  }

  const isFree = (run: ActiveRun): boolean =>
    isDue(run) && !keysInUse.has(run.row.policy?.concurrencyKey ?? '') && !runBefore(run)
  /** The one of its job that it must not go beside. */
  const runBefore = ({ serial, row }: ActiveRun): ActiveRun | undefined =>
    serial ? [...(byJob.get(row.jobId) ?? [])].find(other => other.started) : undefined
  const isDue = (run: ActiveRun) => run.startsAt <= clock.monotonic()

  const reasonOf = (run: ActiveRun): string => {
    const { row } = run
    const key = row.policy?.concurrencyKey ?? ''
    const before = runBefore(run)
    if (stopped) return 'the instance is stopping; it starts when that is back'
    if (!isDue(run)) {
      const dueAt = clock.now() + Math.ceil(run.startsAt - clock.monotonic())
      return `it is another attempt, and due at ${timestamp(dueAt)}`
    }
    if (before) return `the run ${before.row.id} of the same job has not ended`
    if (keysInUse.has(key)) return `another run with the concurrency key "${key}" has not ended`
    return `as many runs go as may at the same time, ${limits.concurrent}; it comes after those before it`
  }

  /** Never rejects: whatever goes wrong, the run ends. */
  const perform = async (run: ActiveRun) => {
    const began = performance.now()
    const result = await endOf(run).catch((error: Error) => {
      log.error({ err: error, run: run.row.id }, 'run could not be made')
      return { status: 'failed' as const, error: { message: error.message, stack: null } }
    })
    const own = result.status === 'succeeded' ? { ...result, error: null } : { ...result, result: null }
    finish(run, {
      ...own,
      ...(run.ending ? { ...run.ending, result: null } : {}),
      durationMs: Math.round(performance.now() - began),
    })
  }

  const endOf = async (run: ActiveRun): Promise<RunEnd> => {
    const { id, jobId, build, params, slot, attempt, trigger, timeoutMs, policy } = run.row
    try {
      markStarted(db, id, clock.now())
    } catch (error) {
      throw new Error(`its start could not be recorded: ${(error as Error).message}`)
    }
    const { values, missing } = secrets.reveal(policy?.secrets ?? [])
    if (missing.length > 0) throw new Error(secretsMissing(missing))
    run.log.mask(Object.values(values))
    run.process = startRunProcess(
      {
        build: join(volume.buildsDir, build),
        repo: volume.jobsDir,
        jobId,
        params,
        secrets: values,
        run: { id, slot, attempt, trigger },
      },
      { log: run.log, runners, memoryMb: memoryOf(policy), state: state.of(jobId) },
    )
    const timer = setTimeout(() => {
      end(run, 'timed_out', `it took longer than its limit of ${timeoutMs / 1000} seconds and was ended`)
    }, timeoutMs)
    try {
      return maskEnd(await run.process.ended, Object.values(values))
    } finally {
      clearTimeout(timer)
    }
  }

  const memoryOf = (policy: RunRow['policy']) => (policy?.memory ? policy.memory / 1024 ** 2 : memoryMb)

  const end = (run: ActiveRun, status: RunEnding['status'], message: string, tidyMs = limits.graceMs) => {
    run.ending ??= { status, error: { message, stack: null } }
    run.process?.end(tidyMs)
  }

  const finish = (run: ActiveRun, ending: RunEnding) => {
    const { id } = run.row
    active.delete(id)
    const others = byJob.get(run.row.jobId)
    others?.delete(run)
    if (others?.size === 0) byJob.delete(run.row.jobId)
    // Before those who follow the log are told that it is over: the next thing they ask is how it ended.
    record(id, ending, clock.now())
    if (!run.log.end()) {
      unsaved.set(id, run.log)
      if (unsaved.size > unsavedLogs) unsaved.delete(unsaved.keys().next().value as string)
      log.warn({ run: id }, 'the log of a run could not be written; it is held in memory')
    }
  }

  const record = (id: string, ending: RunEnding, at: number) => {
    try {
      const next = markEnded(db, id, ending, at)
      unrecorded.delete(id)
      if (next && !stopped) add([next])
    } catch (error) {
      if (!unrecorded.has(id))
        log.error({ err: error, run: id }, 'the end of a run could not be recorded yet')
      unrecorded.set(id, { ending, at })
    }
  }

  /** Ends a run that waits or goes. */
  const stopRun = async (run: ActiveRun, status: 'cancelled' | 'interrupted', message: string) => {
    const position = waiting.indexOf(run)
    if (position >= 0) {
      waiting.splice(position, 1)
      finish(run, { status, result: null, error: { message, stack: null }, durationMs: null })
    } else end(run, status, message)
    await run.done
  }

  const saveLate = () => {
    for (const [id, held] of unsaved) if (held.end()) unsaved.delete(id)
    for (const [id, { ending, at }] of unrecorded) record(id, ending, at)
  }

  const settle = () => {
    saveLate()
    for (const { id } of activeRuns(db)) {
      if (active.has(id) || unrecorded.has(id)) continue
      const error = { message: 'it was lost: nothing runs it any more', stack: null }
      record(id, { status: 'interrupted', result: null, error, durationMs: null }, clock.now())
    }
  }

  return {
    add,
    wake: startWaiting,
    expect: runners.expect,
    isFull: () => waiting.length >= limits.waiting,
    isStopped: () => stopped,
    waiting: () => {
      const later = (run: ActiveRun) => (isDue(run) ? 0 : run.startsAt)
      const inOrder = waiting.toSorted((a, b) => later(a) - later(b))
      return inOrder.map(run => ({ id: run.row.id, reason: reasonOf(run) }))
    },
    activeRun: jobId => [...(byJob.get(jobId) ?? [])].findLast(isDue)?.row ?? null,
    count: jobId => byJob.get(jobId)?.size ?? 0,
    isCatchingUp: jobId => [...(byJob.get(jobId) ?? [])].some(({ row }) => isCaughtUp(row)),
    replace: (jobId, by) => {
      for (const run of [...(byJob.get(jobId) ?? [])]) {
        void stopRun(run, 'cancelled', `it was replaced by the run ${by.id}, whose time had come`)
      }
    },
    log: runId => active.get(runId)?.log ?? unsaved.get(runId) ?? null,
    builds: () => new Set([...active.values()].map(run => run.row.build)),
    cancel: async runId => {
      const run = active.get(runId)
      if (run) await stopRun(run, 'cancelled', 'it was cancelled')
    },
    settle,
    stop: async ({ waitMs, tidyMs = limits.graceMs }) => {
      stopped = true
      const going = [...active.values()].filter(({ started }) => started)
      const over = new AbortController()
      const ended = Promise.all(going.map(run => run.done)).then(() => over.abort())
      await Promise.race([ended, clock.sleep(waitMs, over.signal)])
      for (const run of going) {
        if (active.has(run.row.id)) end(run, 'interrupted', 'the instance was stopped', tidyMs)
      }
      await ended
      runners.stop()
      saveLate()
    },
  }
}

function secretsMissing(names: readonly string[]): string {
  const [what, them] =
    names.length === 1 ? [`the secret ${names[0]} is`, 'it'] : [`the secrets ${names.join(', ')} are`, 'them']
  return `it was not started, because ${what} not set, or cannot be read any more; set ${them} at /secrets`
}

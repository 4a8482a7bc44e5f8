import type { Clock } from '../../../src/clock.ts'
import { acceptParams } from '../../params/params.ts'
import type { RunTrigger } from '../contract.ts'
import { policyOf } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import { runGoesOn, stopping, tooManyRuns, unknownJob } from '../problems.ts'
import type { RunQueue } from './run-queue.ts'
import { insertRun, type RunRow } from './run-record.ts'

/** Runs that a person or a script starts. */
export interface RunsByHand {
  /** Throws `unknown-job`, `too-many-runs` or `stopping`, or `invalid` for parameters that do not fit. */
  run(jobId: string, options: { trigger: RunTrigger; params?: Record<string, unknown> }): RunRow
  /**
   * Runs a finished run again: its parameters and its slot, with the code that is live now. Throws `run-goes-on` for a
   * run that has not ended, and otherwise what `run` throws.
   */
  replay(of: RunRow, trigger: RunTrigger): RunRow
}

export function createRunsByHand(options: {
  db: JobsDb
  live: LiveSetStore
  queue: RunQueue
  clock: Clock
  /** The most runs that may be queued, to be named in the problem. */
  mostWaiting: number
}): RunsByHand {
  const { db, live, queue, clock, mostWaiting } = options

  const add = (
    jobId: string,
    { params = {}, ...given }: Pick<RunRow, 'trigger' | 'slot' | 'replayOf'> & { params?: RunRow['params'] },
  ): RunRow => {
    const set = live.current()
    const spec = set?.jobs.get(jobId)
    if (!set || !spec) throw unknownJob(`No job "${jobId}" is registered.`)
    if (queue.isStopped())
      throw stopping('The instance is stopping and starts no more runs. Try again when it is back.')
    if (queue.isFull()) throw tooManyRuns(`${mostWaiting} runs are queued already. Cancel some, or wait.`)
    const { build, commit } = set
    const policy = policyOf(spec)
    const run = {
      jobId,
      build,
      commit,
      timeoutMs: spec.timeout,
      policy,
      params: acceptParams(spec.params, params),
    }
    queue.begin(policy)
    const row = insertRun(db, { ...given, ...run }, clock.now())
    queue.add([row])
    return row
  }

  return {
    run: (jobId, given) => add(jobId, { ...given, slot: null, replayOf: null }),
    replay: ({ id, jobId, params, slot, finishedAt }, trigger) => {
      if (finishedAt === null)
        throw runGoesOn(`The run ${id} is still in progress. Wait for its end, or cancel it.`)
      return add(jobId, { params, trigger, slot, replayOf: id })
    },
  }
}

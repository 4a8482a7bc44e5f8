import { join } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { maskEnd } from '../../runner/masked-end.ts'
import { type RunEnd, startRunProcess } from '../../runner/run-process.ts'
import type { Runners } from '../../runner/spare-runner.ts'
import type { SecretsService } from '../../secrets/contract.ts'
import type { StateService } from '../../state/contract.ts'
import type { Folders, Room } from '../../volume/contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { ActiveRun } from './active-runs.ts'
import { markStarted, type RunEnding, type RunRow } from './run-record.ts'

export interface ExecutionOptions {
  db: JobsDb
  volume: Folders
  room: Pick<Room, 'level' | 'words' | 'busy'>
  runners: Pick<Runners, 'take'>
  secrets: Pick<SecretsService, 'reveal'>
  state: Pick<StateService, 'of'>
  clock: Clock
  log: Logger
  limits: {
    /** Memory limit in MiB of a run and its children, if its job sets none. */
    memoryMb: number
    /** How long a run may take to tidy up when it is asked to end. */
    graceMs: number
  }
}

/** Executes one run, and resolves with how it ended. Never rejects: whatever goes wrong, the run ends. */
export async function executeRun(run: ActiveRun, options: ExecutionOptions): Promise<RunEnding> {
  const began = performance.now()
  const over = options.room.busy()
  const end = await runProcess(run, options)
    .catch((error: Error) => {
      options.log.error({ err: error, run: run.row.id }, 'run could not be made')
      return { status: 'failed' as const, error: { message: error.message, stack: null } }
    })
    .finally(over)
  const durationMs = Math.round(performance.now() - began)
  if (run.ending) return { ...run.ending, result: null, durationMs }
  return end.status === 'succeeded'
    ? { ...end, error: null, durationMs }
    : { ...end, result: null, durationMs }
}

/** Has a run end as `status`, unless something else decided that before. Without a process there is nothing to end. */
export function endRun(run: ActiveRun, status: RunEnding['status'], message: string, tidyMs: number): void {
  run.ending ??= { status, error: { message, stack: null } }
  run.process?.end(tidyMs)
}

/**
 * The steps of a run:
 *
 * 1. Record that it has started.
 * 2. Refuse it if the instance takes far more of the disk than it may.
 * 3. Read the secrets that its job declares, and mask their values in its log. Without one of them it fails.
 * 4. Start its process, and ask that to end when its time is up.
 * 5. Wait for its end, and mask the secrets in that too.
 */
async function runProcess(run: ActiveRun, options: ExecutionOptions): Promise<RunEnd> {
  const { db, volume, runners, secrets, state, clock, limits } = options
  const { id, jobId, build, params, slot, attempt, trigger, timeoutMs, policy } = run.row
  try {
    markStarted(db, id, clock.now())
  } catch (error) {
    throw new Error(`the start of the run could not be recorded: ${(error as Error).message}`)
  }
  if (options.room.level() === 'beyond') throw new Error(diskBeyond(options.room))
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
    { log: run.log, runners, memoryMb: memoryOf(policy, limits.memoryMb), state: state.of(jobId) },
  )
  const timer = setTimeout(() => {
    const message = `the run took longer than its limit of ${timeoutMs / 1000} seconds and was stopped`
    endRun(run, 'timed_out', message, limits.graceMs)
  }, timeoutMs)
  try {
    return maskEnd(await run.process.ended, Object.values(values))
  } finally {
    clearTimeout(timer)
  }
}

function diskBeyond(room: Pick<Room, 'words'>): string {
  return `the run was not started. ${room.words()}. Delete what is not needed, such as files of jobs in data/: the page “Disk” of the settings can`
}

/** What a run may hold with all that it starts, in MiB. */
export function memoryOf(policy: RunRow['policy'], otherwiseMb: number): number {
  return policy?.memory ? policy.memory / 1024 ** 2 : otherwiseMb
}

function secretsMissing(names: readonly string[]): string {
  const [what, them] =
    names.length === 1 ? [`the secret ${names[0]} is`, 'it'] : [`the secrets ${names.join(', ')} are`, 'them']
  return `the run was not started, because ${what} not set or can no longer be read; set ${them} at /secrets`
}

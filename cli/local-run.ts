import { dirname } from 'node:path'
import type { JobSpec } from '../runtime/manifest/manifest.ts'
import { ordinaryMemoryMb } from '../runtime/process/memory.ts'
import type { LogStream } from '../runtime/runner/log-line.ts'
import { maskEnd } from '../runtime/runner/masked-end.ts'
import { startRunProcess } from '../runtime/runner/run-process.ts'
import { startRunner } from '../runtime/runner/spare-runner.ts'
import { newId } from '../src/ids.ts'
import { maskedText } from '../src/masking/masked-text.ts'
import { stateFile } from './state-file.ts'

export interface LocalRun {
  /** The folder of the build, absolute. */
  build: string
  /** The jobs repo: absolute, without links. */
  dir: string
  job: JobSpec
  params: Record<string, unknown>
  /** The job's declared secrets. */
  secrets: Record<string, string>
  env: Record<string, string>
}

export interface Outcome {
  status: 'succeeded' | 'failed' | 'timed_out' | 'cancelled'
  result: unknown
  error: { message: string; stack: string | null } | null
  durationMs: number
}

/** As in an instance. */
export const runLimits = { memoryMb: ordinaryMemoryMb, graceMs: 5000 }

/** Runs a job in a separate process, and resolves when its whole process tree has ended. */
export async function performRun(
  run: LocalRun,
  options: {
    /** Asks the run to end. */
    signal: AbortSignal
    /** Kills it. */
    atOnce: AbortSignal
    write: (stream: LogStream, text: string) => void
  },
): Promise<Outcome> {
  const { job, dir, params, secrets, env } = run
  const { signal, atOnce, write } = options
  const began = performance.now()
  const log = maskedLog(Object.values(secrets), write)
  const memoryMb = job.memory === null ? runLimits.memoryMb : job.memory / 1024 ** 2
  const place = { volumeDir: dirname(dirname(run.build)), jobsDir: dir, memoryMb, env }
  const started = startRunProcess(
    {
      build: run.build,
      repo: dir,
      jobId: job.id,
      params,
      secrets,
      run: { id: newId('run'), slot: null, attempt: 1, trigger: 'manual' },
    },
    { log, runners: { take: build => startRunner(place, build) }, memoryMb, state: stateFile(dir, job.id) },
  )
  let ending: Pick<Outcome, 'status' | 'error'> | null = null
  const end = (status: Outcome['status'], message: string, graceMs: number) => {
    ending ??= { status, error: { message, stack: null } }
    started.end(graceMs)
  }
  const tooLong = `the run took longer than its limit of ${job.timeout / 1000} seconds and was stopped`
  const timer = setTimeout(() => end('timed_out', tooLong, runLimits.graceMs), job.timeout)
  const asked = () => end('cancelled', 'the run was cancelled', runLimits.graceMs)
  const killed = () => end('cancelled', 'the run was cancelled', 0)
  signal.addEventListener('abort', asked)
  atOnce.addEventListener('abort', killed)
  if (signal.aborted) asked()
  try {
    const own = maskEnd(await started.ended, Object.values(secrets))
    log.end()
    const durationMs = Math.round(performance.now() - began)
    const decided = ending as Pick<Outcome, 'status' | 'error'> | null
    if (decided) return { ...decided, result: null, durationMs }
    if (own.status === 'failed') return { ...own, result: null, durationMs }
    return { ...own, error: null, durationMs }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', asked)
    atOnce.removeEventListener('abort', killed)
  }
}

/** The log as an instance would store it: whole characters, without values of secrets. */
function maskedLog(values: readonly string[], write: (stream: LogStream, text: string) => void) {
  const streams = { out: maskedText(values), err: maskedText(values) }
  const tell = (stream: LogStream, text: string) => {
    if (text !== '') write(stream, text)
  }
  return {
    write: (stream: LogStream, chunk: Buffer) => tell(stream, streams[stream].read(chunk)),
    end: () => {
      for (const stream of ['out', 'err'] as const) tell(stream, streams[stream].end())
    },
  }
}

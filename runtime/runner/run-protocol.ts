import type { Reach } from '../isolation/reach.ts'

export const runTriggers = ['schedule', 'manual', 'api'] as const
/** What started a run. */
export type RunTrigger = (typeof runTriggers)[number]

/** What a runner is started with, as JSON: it prepares for what it does not know yet. */
export interface RunnerStart {
  reach: Reach
  /** It will probably wait for its run, and has the time to load what some jobs need. */
  waits: boolean
  /** What its run will probably be made of: the folder of a build, and the jobs repo. */
  code: { build: string; repo: string } | null
  /** The process id of the runtime if the system ends the runner with it; otherwise null. */
  endsWith: number | null
}

/** What the runtime asks of a runner. */
export interface RunRequest {
  /** The folder of the build, absolute. */
  build: string
  /** The jobs repo, absolute and real. */
  repo: string
  jobId: string
  params: Record<string, unknown>
  /** The secrets that the job declares, by name. */
  secrets: Record<string, string>
  run: { id: string; slot: number | null; attempt: number; trigger: RunTrigger }
}

/** What the runner answers. `result` is JSON text; null when there is none that can be kept. */
export type RunReport = { result: string | null } | { error: { message: string; stack: string | null } }

export const resultLimitBytes = 64 * 1024

/** How much of a failure is kept, in characters. */
export const failureLimits = { message: 4000, stack: 16_000 }

/** Why a run fails whose process exits by itself. */
export function exitedInWords(code: number | null): string {
  return `the job ended its process with exit code ${code} before its function returned`
}

/** What a run was started by. */
export type RunTrigger = 'schedule' | 'manual' | 'api'

/** What the runner is asked to do. */
export interface RunRequest {
  /** The folder of the build, absolute. */
  build: string
  /** The jobs repo, absolute and real. */
  repo: string
  jobId: string
  params: Record<string, unknown>
  /** By name: those that the job declares, and no others. */
  secrets: Record<string, string>
  run: { id: string; slot: number | null; attempt: number; trigger: RunTrigger }
}

/** What it answers. `result` is JSON text; null when there is none that can be kept. */
export type RunReport = { result: string | null } | { error: { message: string; stack: string | null } }

export const resultLimitBytes = 64 * 1024

/** Of a failure, in characters. */
export const failureLimits = { message: 4000, stack: 16_000 }

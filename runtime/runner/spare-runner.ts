import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { reachOfRuns } from '../isolation/reach.ts'
import { makeTemporary, type TemporaryFolder } from '../isolation/temporary.ts'
import { startCustomerProgram } from '../process/child-program.ts'

/** A process that is ready to be told what to run, or is getting ready. It makes one run, and none after that. */
export interface Runner {
  child: ChildProcess
  /** What leads to everything that it starts. */
  mark: string
  /** Whoever takes the runner removes it when the run and all that it started are gone. */
  temporary: TemporaryFolder
}

/** Runners, with one that waits when more runs are to be expected. */
export interface Runners {
  /** One whose run may hold so much, in MiB. */
  take(memoryMb: number): Runner
  /** A run is to be expected: one runner is made ready, and kept for a while. */
  expect(): void
  stop(): void
}

/** The run that took the spare one has the processor to itself at first. */
const refillAfterMs = 30

/** So long after the last run was begun or expected, the spare one goes: an idle instance is small. */
const keepMs = 65_000

export interface RunnerOptions {
  volumeDir: string
  jobsDir: string
  memoryMb: number
  env: Record<string, string>
}

export function startRunner({ volumeDir, jobsDir, memoryMb, env }: RunnerOptions): Runner {
  const mark = `run-${randomUUID()}`
  const temporary = makeTemporary(volumeDir, 'run')
  try {
    const child = startCustomerProgram('runner', {
      volumeDir,
      cwd: jobsDir,
      mark,
      reach: reachOfRuns(volumeDir, jobsDir, temporary.path),
      temporary,
      memoryMb,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    return { child, mark, temporary }
  } catch (error) {
    void temporary.remove()
    throw error
  }
}

export function createRunners(options: RunnerOptions): Runners {
  let spare: Runner | null = null
  let refill: NodeJS.Timeout | undefined
  let goodbye: NodeJS.Timeout | undefined
  let stopped = false

  /** Null when there is no starting one now; the next run will say why. */
  const tryStart = (): Runner | null => {
    try {
      return startRunner(options)
    } catch {
      return null
    }
  }
  const ready = () => {
    if (stopped || spare) return
    const made = tryStart()
    if (!made) return
    spare = made
    const gone = () => {
      if (spare !== made) return
      spare = null
      void made.temporary.remove()
    }
    // It did not start, or somebody ended it: the next run has one of its own.
    made.child.once('error', gone).once('exit', gone)
  }
  const dismiss = () => {
    clearTimeout(refill)
    const left = spare
    spare = null
    left?.child.kill('SIGKILL')
    for (const stream of left?.child.stdio ?? []) stream?.destroy()
    void left?.temporary.remove()
  }
  const keep = () => {
    clearTimeout(goodbye)
    if (!stopped) goodbye = setTimeout(dismiss, keepMs).unref()
  }
  return {
    take: memoryMb => {
      // The heap of the one that waits is what most need.
      if (memoryMb > options.memoryMb) return startRunner({ ...options, memoryMb })
      const taken = spare ?? startRunner(options)
      spare = null
      clearTimeout(refill)
      if (!stopped) refill = setTimeout(ready, refillAfterMs).unref()
      keep()
      return taken
    },
    expect: () => {
      ready()
      keep()
    },
    stop: () => {
      stopped = true
      clearTimeout(goodbye)
      dismiss()
    },
  }
}

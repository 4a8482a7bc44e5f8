import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { builtRoot } from '../../src/root.ts'
import { makeScratchFolder, reachOfRuns, withoutRepeats } from '../isolation/reach.ts'
import { makeTemporary, type TemporaryFolder } from '../isolation/temporary.ts'
import { startCustomerProgram } from '../process/child-program.ts'
import { endingWithParent } from '../process/with-parent.ts'
import type { RunnerStart } from './run-protocol.ts'

/** A process that is ready, or getting ready, to get its request. It makes a single run. */
export interface Runner {
  child: ChildProcess
  /** Marks the process and everything that it starts. */
  mark: string
  /** The caller that takes the runner removes this folder when the process tree is gone. */
  temporary: TemporaryFolder
}

/** Makes runners, and keeps a spare one ready while more runs are expected. */
export interface Runners {
  /** Takes a runner for a run of this build that may use this much memory, in MiB. */
  take(build: string, memoryMb: number): Runner
  /** Prepares for a run that comes in a moment: makes one runner ready, and keeps it for a while. */
  expect(): void
  /** Starts the runner of a run that is being recorded, if none waits: Node's start takes longer than that. */
  begin(memoryMb: number): void
  stop(): void
}

/** Wait this long before making a new spare: the run that took the last one has the processor to itself first. */
const refillAfterMs = { spare: 30, new: 100 }

/** The spare runner ends this long after a run last started or was expected, so that an idle instance is small. */
const keepMs = 65_000

export interface RunnerOptions {
  volumeDir: string
  jobsDir: string
  memoryMb: number
  env: Record<string, string>
  /** The folder of the build that the next run is likely to load; null when there is none. */
  liveBuild: () => string | null
}

/** The runner prepares to load from `build`. Its run may name another one. `waits` if the run is not there yet. */
export function startRunner(
  { volumeDir, jobsDir, memoryMb, env }: Omit<RunnerOptions, 'liveBuild'>,
  build: string | null,
  { waits = false } = {},
): Runner {
  const mark = `run-${randomUUID()}`
  const temporary = makeTemporary(volumeDir, 'run')
  // Node takes what is not there for a file: nothing in it could be written.
  makeScratchFolder(jobsDir)
  try {
    const reach = reachOfRuns(volumeDir, jobsDir, temporary.path)
    const start: RunnerStart = {
      reach: withoutRepeats(reach),
      waits,
      code: build === null ? null : { build, repo: jobsDir },
      endsWith: endingWithParent().length > 0 ? process.pid : null,
    }
    const child = startCustomerProgram('runner', {
      volumeDir,
      // It goes to the repo with its run. Node looks from where it starts for a package.json, which may be a pipe there.
      cwd: builtRoot(),
      mark,
      reach,
      temporary,
      memoryMb,
      env,
      args: [JSON.stringify(start)],
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
  let spareSince = 0
  let refill: NodeJS.Timeout | undefined
  let goodbye: NodeJS.Timeout | undefined
  let stopped = false

  /** Null when none can be started now; the next run will say why. */
  const tryStart = (waits: boolean): Runner | null => {
    try {
      return startRunner(options, options.liveBuild(), { waits })
    } catch {
      return null
    }
  }
  const ready = ({ waits = true } = {}) => {
    if (stopped || spare) return
    const made = tryStart(waits)
    if (!made) return
    spare = made
    spareSince = performance.now()
    const gone = () => {
      if (spare !== made) return
      spare = null
      void made.temporary.remove()
    }
    // It did not start, or was killed: the next run starts its own.
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
    take: (build, memoryMb) => {
      // The heap of the spare runner has the usual size.
      if (memoryMb > options.memoryMb) return startRunner({ ...options, memoryMb }, build)
      const isReady = spare !== null && performance.now() - spareSince > refillAfterMs.new
      const afterMs = isReady ? refillAfterMs.spare : refillAfterMs.new
      const taken = spare ?? startRunner(options, build)
      spare = null
      clearTimeout(refill)
      if (!stopped) refill = setTimeout(() => ready(), afterMs).unref()
      keep()
      return taken
    },
    expect: () => {
      ready()
      keep()
    },
    begin: memoryMb => {
      if (memoryMb > options.memoryMb) return
      ready({ waits: false })
      keep()
    },
    stop: () => {
      stopped = true
      clearTimeout(goodbye)
      dismiss()
    },
  }
}

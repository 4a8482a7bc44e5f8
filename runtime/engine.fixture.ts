import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Clock, systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { eventually } from '../src/testing/eventually.ts'
import type { Run } from './contract.ts'
import { createEngine, type DrivenEngine, type EngineOptions } from './engine.ts'
import { openVolume } from './volume.ts'

/** An engine on a volume of its own, and what tests do with it. */
export interface TestInstance {
  engine: DrivenEngine
  dir: string
  /** A file of the jobs repo. */
  path(file: string): string
  write(file: string, content: string): void
  /** Runs a job and waits for its end. */
  run(jobId: string, params?: Record<string, unknown>): Promise<Run>
  ended(runId: string): Promise<Run>
  /** Stops the engine and starts another one on the same volume. */
  restart(options?: Partial<EngineOptions>): Promise<void>
}

export const registry = "import { jobRegistry } from 'longhouse/jobs'\n"

/** A manifest with one job whose function is the given source. */
export function oneJob(func: string, options = ''): string {
  return `${registry}jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: ${func}, ${options} })\n`
}

/** Without `files`, the instance starts with the template; with them, with a jobs repo that holds just those. */
export async function startInstance(
  t: TestContext,
  {
    files,
    place = tmpdir(),
    ...options
  }: { files?: Record<string, string>; place?: string } & Partial<EngineOptions> = {},
): Promise<TestInstance> {
  const dir = mkdtempSync(join(place, 'longhouse-engine-'))
  const path = (file: string) => join(dir, 'jobs', file)
  const write = (file: string, content: string) => {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), content)
  }
  for (const [file, content] of Object.entries(files ?? {})) write(file, content)

  const start = async (more: Partial<EngineOptions> = {}) => {
    const volume = openVolume(dir)
    const defaults = { volume, clock: systemClock, log: silentLog, heartbeat: false }
    const { runs, load, ...others } = { ...options, ...more }
    const engine = await createEngine({
      ...defaults,
      runs: { graceMs: 300, ...runs },
      load: { readMs: 30_000, ...load },
      ...others,
    })
    await until(() => engine.ready(), 'the first load ends')
    const settled = () => engine.manifest().status === 'error' || engine.manifest().commit
    await until(settled, 'the first set is committed')
    return engine
  }
  const instance: TestInstance = {
    engine: await start(),
    dir,
    path,
    write,
    run: (jobId, params) => {
      const run = instance.engine.run(jobId, { trigger: 'manual', ...(params ? { params } : {}) })
      return instance.ended(run.id)
    },
    ended: runId =>
      until(() => {
        const run = instance.engine.getRun(runId)
        return run?.finishedAt ? run : null
      }, `run ${runId} ends`),
    restart: async more => {
      await instance.engine.stop()
      instance.engine = await start(more)
    },
  }
  t.after(async () => {
    await instance.engine.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return instance
}

/** `eventually`, with the patience that loads and runs need on a machine that has other things to do. */
export function until<T>(condition: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  return eventually(what, condition as () => NonNullable<T> | Promise<NonNullable<T>>, 60_000)
}

export interface StandingClock extends Clock {
  /** The time on the wall. Setting it to a later time lets the time between pass; to an earlier one, sets the clock back. */
  at: number
  /** Sets the wall clock by so much, forwards or back, while no time passes. */
  step(ms: number): void
}

/** A clock that stands where it was put; sleeping by it takes as long as it takes. */
export function standingClock(start: number): StandingClock {
  let wall = start
  let passed = 0
  return {
    get at() {
      return wall
    },
    set at(time) {
      passed += Math.max(0, time - wall)
      wall = time
    },
    now: () => wall,
    monotonic: () => passed,
    sleep: systemClock.sleep,
    step: ms => {
      wall += ms
    },
  }
}

/** What a process was started as; '' when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** False for a process that has ended, also when nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isRecord } from '../runtime/params/json-schema.ts'
import { type JobState, StateError } from '../runtime/runner/job-state.ts'
import { stateLimits } from '../runtime/runner/state-limits.ts'

const name = 'data/longhouse-state.json'

/**
 * A job's state between runs on a local machine: its values by key, under its id, in a file of the jobs repo. The
 * starter `.gitignore` excludes it from git, and people may read and edit it.
 */
export function stateFile(dir: string, jobId: string): JobState {
  const file = join(dir, name)
  const readOwn = () => ofJob(readAll(file), jobId)

  const change = <T>(work: (own: Map<string, unknown>) => T): T => {
    const all = readAll(file)
    const own = ofJob(all, jobId)
    const result = work(own)
    all.set(jobId, Object.fromEntries(sorted(own)))
    mkdirSync(dirname(file), { recursive: true })
    const draft = `${file}.${process.pid}.tmp`
    writeFileSync(draft, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`)
    renameSync(draft, file)
    return result
  }

  return {
    get: async key => {
      const own = readOwn()
      return own.has(key) ? JSON.stringify(own.get(key)) : null
    },
    set: async (key, json) =>
      change(own => {
        own.set(key, JSON.parse(json))
        if (own.size > stateLimits.keys || bytesOf(own) > stateLimits.jobBytes) {
          const { keys, jobBytes } = stateLimits
          throw new StateError(
            `with "${key}" the job would keep more than ${keys} keys or ${jobBytes} bytes; delete some, or use a file`,
          )
        }
      }),
    delete: async key => change(own => own.delete(key)),
    entries: async () => sorted(readOwn()).map(([key, value]) => [key, JSON.stringify(value)]),
  }
}

function ofJob(all: ReadonlyMap<string, unknown>, jobId: string): Map<string, unknown> {
  const own = all.get(jobId)
  return new Map(isRecord(own) ? Object.entries(own) : [])
}

function readAll(file: string): Map<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  try {
    const all: unknown = JSON.parse(text)
    if (isRecord(all)) return new Map(Object.entries(all))
  } catch {
    // The person who edited it gets an error.
  }
  throw new StateError(`${name} is not valid JSON; fix it, or move it away`)
}

function sorted(own: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...own].sort(([a], [b]) => (a < b ? -1 : 1))
}

function bytesOf(own: ReadonlyMap<string, unknown>): number {
  return [...own].reduce((sum, [key, value]) => sum + Buffer.byteLength(key + JSON.stringify(value)), 0)
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isRecord } from '../params/json-schema.ts'
import { stateLimits } from '../state/limits.ts'
import { type JobState, StateError } from '../state/state.ts'

/**
 * What a job remembers between runs on one's own machine: JSON texts by key and job, in `data/longhouse-state.json` of the jobs
 * repo, which its `.gitignore` leaves out of git.
 */
export function stateFile(dir: string, jobId: string): JobState {
  const file = join(dir, 'data', 'longhouse-state.json')

  const change = <T>(work: (own: Map<string, string>) => T): T => {
    const all = readAll(file)
    const own = new Map(Object.entries(all[jobId] ?? {}))
    const result = work(own)
    all[jobId] = Object.fromEntries([...own].sort(([a], [b]) => (a < b ? -1 : 1)))
    mkdirSync(dirname(file), { recursive: true })
    const draft = `${file}.${process.pid}.tmp`
    writeFileSync(draft, `${JSON.stringify(all, null, 2)}\n`)
    renameSync(draft, file)
    return result
  }

  return {
    get: async key => readAll(file)[jobId]?.[key] ?? null,
    set: async (key, json) =>
      change(own => {
        own.set(key, json)
        const bytes = [...own].reduce((sum, [name, text]) => sum + Buffer.byteLength(name + text), 0)
        if (own.size > stateLimits.keys || bytes > stateLimits.jobBytes) {
          throw new StateError('it is more than a job may keep; delete some of it, or use a file')
        }
      }),
    delete: async key => change(own => own.delete(key)),
    entries: async () => Object.entries(readAll(file)[jobId] ?? {}),
  }
}

function readAll(file: string): Record<string, Record<string, string>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  const all: unknown = JSON.parse(text)
  if (!isRecord(all)) throw new StateError(`${file} holds no state; move it away`)
  return all as Record<string, Record<string, string>>
}

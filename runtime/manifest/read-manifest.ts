import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { waitAtMost } from '../../src/concurrency.ts'
import { ask } from '../process/channel.ts'
import { watchMemory } from '../process/memory.ts'
import { checkRegistrations, type JobSpec } from './manifest.ts'
import type { ManifestError } from './manifest-error.ts'
import { type Draft, type ReadingRequest, readingLimits } from './reader-protocol.ts'
import { endReader, type Reader, type Readers, startReader } from './spare-reader.ts'
import { readStarter } from './starter.ts'

export interface ReadManifest {
  /** The folder below `builds/`. */
  build: string
  /** The repo's files that were compiled, relative to it. */
  inputs: string[]
  jobs: JobSpec[]
  /** Imports that fail when a run comes to them. */
  warnings: ManifestError[]
}

export interface ReadOptions {
  jobsDir: string
  buildsDir: string
  /** The volume; by default the parent of `buildsDir`. */
  volumeDir?: string
  timezone: string
  limitMs: number
  memoryMb: number
  draft?: Draft | undefined
  /** The command reads it in a clone, for an instance. */
  clone?: boolean
  /** The pool to take a reader from; by default a new one is started. */
  readers?: Readers
  /** Aborts the reading. */
  signal?: AbortSignal | undefined
}

/** Compiles the manifest and reads what it registers, in a separate process. Leaves a build only on success. */
export async function readManifest(
  options: ReadOptions,
): Promise<ReadManifest | { errors: ManifestError[] }> {
  if (!existsSync(options.jobsDir)) return broken('the jobs folder is not there')
  if (!options.draft) {
    const out = mkdtempSync(join(options.buildsDir, '.new-'))
    const known = await inFolder(out, async () => {
      const { data } = readingSchema.safeParse(readStarter(options.jobsDir, out))
      return data && !('again' in data) ? checkedReading(data, out, options) : null
    })
    if (known) return known
  }
  const reader = options.readers?.take() ?? startReader(options)
  const read = (await readWith(reader, options)) ?? (await readWith(startReader(options), options))
  return read ?? broken('the process that read the manifest asked for another one')
}

/**
 * Null when a new process is to be asked, which does nothing ahead: 1. This one had waited, and was ended by a signal,
 * which may have nothing to do with the manifest: another process used up the memory. 2. It had linked packages ahead, and
 * says that this might make a difference, or says anything but jobs.
 */
async function readWith(
  reader: Reader,
  options: ReadOptions,
): Promise<ReadManifest | { errors: ManifestError[] } | null> {
  const { readers } = options
  return inFolder(reader.out, async () => {
    const answer = await askReader(reader, options)
    if (answer === killed) return null
    if ('again' in answer) {
      readers?.unlink()
      return null
    }
    const checked = await checkedReading(answer, reader.out, options)
    if (!('errors' in answer)) readers?.link(answer.packages)
    const isCertain = !('errors' in checked) || !reader.links || ('errors' in answer && answer.unread)
    return isCertain ? checked : null
  })
}

/** A reader that had waited was ended by a signal. */
const killed = Symbol('killed')

async function inFolder<T>(out: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

async function checkedReading(
  reading: Exclude<Answer, { again: true }>,
  out: string,
  { buildsDir, timezone }: ReadOptions,
): Promise<ReadManifest | { errors: ManifestError[] }> {
  if ('errors' in reading) return { errors: reading.errors }
  const { jobs, errors } = await checkRegistrations(reading.registrations, timezone)
  if (errors.length > 0) return { errors }
  keep(out, join(buildsDir, reading.code))
  return { build: reading.code, inputs: reading.inputs, jobs, warnings: reading.warnings }
}

/** The same code gives the same build; the first one stays. */
function keep(out: string, build: string): void {
  try {
    renameSync(out, build)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

const place = { file: z.string().nullable(), line: z.number().nullable(), column: z.number().nullable() }

const fault = z.object({ ...place, message: z.string() })

const field = z.union([
  z.object({ kind: z.string() }),
  z.object({ schema: z.record(z.string(), z.unknown()) }),
  z.object({ value: z.unknown() }),
])

/** The response comes from a process that ran the customer's code, so it may contain anything. */
const readingSchema = z.union([
  z.object({ again: z.literal(true) }),
  z.object({ errors: z.array(fault).min(1), unread: z.boolean().default(false) }),
  z.object({
    code: z.string().regex(/^[0-9a-f]{20}$/),
    inputs: z.array(z.string()),
    warnings: z.array(fault).default([]),
    packages: z.array(z.string()).default([]),
    registrations: z.array(z.object({ ...place, fields: z.record(z.string(), field) })),
  }),
])

type Answer = z.output<typeof readingSchema>

async function askReader(reader: Reader, options: ReadOptions): Promise<Answer | typeof killed> {
  const { child, repo, out } = reader
  const question: ReadingRequest = {
    repo,
    out,
    draft: options.draft,
    clone: options.clone,
  }
  const channel = ask(child.stdio[3] as Duplex, question, readingLimits.bytes)
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2000)
  })
  const ended = new Promise<unknown>(resolve => {
    void channel.answer.then(answer => {
      if (answer)
        resolve('said' in answer ? answer.said : broken(`the process that read the manifest ${answer.fault}`))
    })
    child.once('error', error => resolve(broken(`the manifest reader did not start: ${error.message}`)))
    const closed = new Promise(done => child.once('close', done))
    child.once('exit', async (code, signal) => {
      // Its last output may still be in the pipes.
      await waitAtMost(closed, 1000)
      if (signal && reader.spare) resolve(killed)
      else resolve(broken(endInWords(code, signal, lastWords, options)))
    })
  })
  const limit = Promise.withResolvers<unknown>()
  const stopWatch = watchMemory(reader.tree, options.memoryMb, () =>
    limit.resolve(broken(tooMuchMemory(options))),
  )
  const timer = setTimeout(() => limit.resolve(broken(tooLong(options.limitMs))), options.limitMs)
  const aborted = () => limit.resolve(broken('the reading was ended before its time'))
  options.signal?.addEventListener('abort', aborted)
  const answer = await Promise.race([ended, limit.promise])
  clearTimeout(timer)
  stopWatch()
  options.signal?.removeEventListener('abort', aborted)
  await endReader(reader)
  if (answer === killed) return killed
  return readingSchema.safeParse(answer).data ?? broken('the manifest changed what its reader answers')
}

function broken(message: string): { errors: ManifestError[]; unread: false } {
  return { errors: [{ file: 'manifest.ts', line: null, column: null, message }], unread: false }
}

function tooLong(limitMs: number): string {
  return `reading the manifest took longer than ${limitMs / 1000} seconds; work belongs in a job's function, not at the top of a module`
}

function tooMuchMemory({ memoryMb }: Pick<ReadOptions, 'memoryMb'>): string {
  return `reading the manifest took more than ${memoryMb} MiB of memory`
}

function endInWords(
  code: number | null,
  signal: string | null,
  lastWords: string,
  { memoryMb }: ReadOptions,
): string {
  if (/heap out of memory|heap limit/i.test(lastWords)) return tooMuchMemory({ memoryMb })
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`
  const words = lastWords.trim().split('\n').slice(-3).join(' ').slice(0, 300)
  return `the process that read the manifest ${how}${words ? `: ${words}` : ''}`
}

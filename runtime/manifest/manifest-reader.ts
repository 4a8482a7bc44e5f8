// A program of its own: compiles the manifest, runs it, and tells its parent what it registered. The customer's code
// runs here, so that nothing it does (throw, loop, exit, fill the memory) reaches the runtime. It is confined before it
// starts the compiler, which would tell in its errors what a file outside the repo begins with.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { explainAccessDenied } from '../isolation/access-denied.ts'
import { answerProbes } from '../isolation/probes.ts'
import type { CompiledFile } from '../modules/compile.ts'
import type { ImportSites } from '../modules/errors/import-sites.ts'
import { type ExportsOf, exportsOf, otherExports, syntaxSite } from '../modules/errors/load-errors.ts'
import { packageInWords } from '../modules/errors/package-words.ts'
import { loadLater } from '../modules/later.ts'
import { packagesOf } from '../modules/packages-of.ts'
import { serveModules, standForManifest } from '../modules/serve.ts'
import { isStandardSchema, jsonSchemaOf } from '../params/definition.ts'
import { channelToParent } from '../process/parent-channel.ts'
import { watchLoading } from './ahead/loading.ts'
import { workAhead } from './ahead/work-ahead.ts'
import { type Compilation, compileManifest } from './compile.ts'
import type { ManifestError } from './manifest-error.ts'
import {
  type Field,
  type Reading,
  type ReadingRequest,
  type Registration,
  readingLimits,
} from './reader-protocol.ts'
import { firstPosition, inClone, inRepo } from './source-position.ts'

type Registered = { job: unknown; site?: { file: string; line: number; column: number } }[]

const parent = channelToParent<ReadingRequest>()
// A manifest reads what follows the program as its own.
const [jobsDir = '', linkable = '[]'] = process.argv.splice(2)
let sites: ImportSites | undefined
let known: ExportsOf = () => null
let loaded: CompiledFile[] = []
const ahead = workAhead(jobsDir, JSON.parse(linkable) as string[], parent.question)

void parent.question.then(read).then(answer)

/** The runtime ends this process when it has the answer, with everything that the manifest started. */
function answer(reading: Reading): void {
  parent.answer(reading)
}

async function read(request: ReadingRequest): Promise<Reading> {
  const done = await ahead
  const compiled = await compileManifest(request, done.compiled)
  if ('errors' in compiled) return { ...compiled, unread: true }
  const packages = packagesOf(request.repo)
  const { linked } = done
  if (done.packages !== null && (done.packages !== packages || !linked?.isUnchanged())) return { again: true }
  known = exportsOf(compiled.compiled)
  loaded = compiled.inputs.flatMap(path => compiled.compiled.files.get(path) ?? [])
  // From here on it is their code that runs.
  standForManifest(request.repo)
  explainAccessDenied()
  answerProbes()
  const loading = watchLoading(packages, linked)
  sites = serveModules({ build: request.out, repo: request.repo, packages }, loading).sites
  process.exit = code => {
    throw new Error(`process.exit(${code ?? ''}) was called while the manifest was read; return instead`)
  }
  loading.begin()
  const failures: ManifestError[] = []
  process.on('unhandledRejection', error => failures.push(failure(error, request)))
  process.on('uncaughtException', error => failures.push(failure(error, request)))
  process.once('beforeExit', () => {
    const message = 'the manifest waits for something that never comes (await at the top level)'
    answer({ errors: [{ file: 'manifest.ts', line: null, column: null, message }] })
  })
  try {
    await import(pathToFileURL(join(request.repo, 'manifest.ts')).href)
    for (const each of compiled.unread) await load(each, request.repo)
    await new Promise(done => setImmediate(done))
  } catch (error) {
    failures.push(failure(error, request))
  }
  const registered = (globalThis as unknown as Record<symbol, Registered>)[Symbol.for('longhouse.registered')]
  const registrations: Registration[] = []
  try {
    for (const each of (registered ?? []).slice(0, readingLimits.registrations + 1)) {
      registrations.push(await found(each, request.repo))
    }
  } catch (error) {
    // A getter of theirs may throw.
    failures.push(failure(error, request))
  }
  if (!loading.isIntact()) return { again: true }
  if (failures.length > 0) return { errors: failures.slice(0, readingLimits.errors) }
  const { code, inputs, warnings } = compiled
  return { code, inputs, registrations, warnings, packages: loading.linkable() }
}

/** What the manifest hands on without calling it: loaded now, a mistake in it is found when it is saved. */
async function load({ path, names }: Compilation['unread'][number], repo: string): Promise<void> {
  const module = (await import(pathToFileURL(join(repo, path)).href)) as Record<string, unknown>
  const other = names.find(name => typeof module[name] !== 'function')
  if (other !== undefined) throw new Error(`"${other}" in ${path} is not a function, and "func" must be one`)
}

async function found({ job, site }: Registered[number], repo: string): Promise<Registration> {
  const fields: Record<string, Field> = {}
  if (typeof job === 'object' && job !== null) {
    for (const [name, value] of Object.entries(job)) {
      // A function is needed by runs only; what the parameters are is part of the job.
      fields[name] = await fieldOf(name === 'params' ? await loadLater(value) : value)
    }
  }
  return {
    fields,
    file: site ? inRepo(site.file, repo) : null,
    line: site?.line ?? null,
    column: site?.column ?? null,
  }
}

/** What a policy or a shape of parameters needs; what is larger is no setting. */
const fieldLimits = { depth: 8, values: 2000 }

async function fieldOf(value: unknown): Promise<Field> {
  if (isStandardSchema(value)) return { schema: await schemaOf(value) }
  const left = { values: fieldLimits.values }
  return isJson(value) ? { value: plain(value, 1, left) } : { kind: typeof value }
}

async function schemaOf(schema: Parameters<typeof jsonSchemaOf>[0]): Promise<Record<string, unknown>> {
  const text = JSON.stringify(await jsonSchemaOf(schema))
  if (text.length <= readingLimits.schemaBytes) return JSON.parse(text)
  const limit = readingLimits.schemaBytes / 1024
  throw new Error(`a job's params are larger than ${limit} KiB as JSON Schema`)
}

/** Texts are cut beyond what any field may have, so that the check refuses them; what is no JSON becomes its kind. */
function plain(value: unknown, depth: number, left: { values: number }): unknown {
  if (typeof value === 'string') return value.slice(0, readingLimits.text + 1)
  if (!isJson(value)) return { kind: typeof value }
  if (typeof value !== 'object' || value === null) return value
  if (depth > fieldLimits.depth || --left.values < 0) return { kind: 'too much' }
  if (Array.isArray(value)) return value.map(each => plain(each, depth + 1, left))
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.map(([name, each]) => [name, plain(each, depth + 1, left)]))
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || ['string', 'boolean', 'object'].includes(typeof value)
}

function failure(error: unknown, request: ReadingRequest): ManifestError {
  const stack = error instanceof Error ? String(error.stack ?? '') : ''
  const position =
    firstPosition(stack, request.repo) ??
    sites?.find(stack) ??
    (error instanceof SyntaxError ? syntaxSite(loaded) : null)
  const said = error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`
  const hint = packageInWords(said)
  const others = position ? otherExports(said, position.file, known) : ''
  const text = hint === null ? said + others : `${hint}: ${said}`
  return {
    file: position?.file ?? 'manifest.ts',
    line: position?.line ?? null,
    column: position?.column ?? null,
    message: inClone(text, request.repo).slice(0, readingLimits.text),
  }
}

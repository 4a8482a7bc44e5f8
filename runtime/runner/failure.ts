import { format, inspect, types } from 'node:util'
import { accessDeniedInWords } from '../isolation/access-denied.ts'
import { firstPosition, inClone } from '../manifest/source-position.ts'
import { withoutDeepPackages } from '../modules/errors/deep-stacks.ts'
import type { ImportSites } from '../modules/errors/import-sites.ts'
import { packageInWords } from '../modules/errors/package-words.ts'
import { failureLimits } from './run-protocol.ts'

/** How many causes of causes, and how many of several errors in one, an error is shown with. */
const mostCauses = 5
const mostOfSeveral = 5

/** Puts what a job threw into the words that its run keeps, causes included. */
export function failureInWords(
  error: unknown,
  { repo, sites }: { repo: string; sites?: ImportSites | undefined },
): { message: string; stack: string | null } {
  const words = isError(error) ? wordsOf(error) : thrown(error)
  const stack = isError(error) ? withImport(error, { repo, sites }) : ''
  return {
    message: inClone(words, repo).slice(0, failureLimits.message),
    stack: stack.slice(0, failureLimits.stack) || null,
  }
}

/** Also of another context (`node:vm`), whose classes are not ours. */
const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value)

/** A text speaks for itself; what else was thrown says that it is no error. */
function thrown(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  return `threw ${typeof value === 'string' ? inspect(value) : format(value)}, which is not an Error`
}

/** A package that fails by itself has none of the customer's lines in its stack: the one that imports it is added. */
function withImport(error: Error, { repo, sites }: { repo: string; sites: ImportSites | undefined }): string {
  const stack = stackOf(error, repo)
  const whole = partsOf(error).join('\n')
  const site = firstPosition(whole, repo) ? null : sites?.find(whole)
  return site
    ? `${stack}\n    at import '${site.specifier}' (${site.file}:${site.line}:${site.column})`
    : stack
}

/** Adds the causes: `fetch failed` alone says little. */
function wordsOf(error: Error): string {
  let words =
    accessDeniedInWords(error) ??
    (error.name === 'Error' ? messageOf(error) : `${error.name}: ${messageOf(error)}`)
  for (const cause of causesOf(error)) {
    const more = isError(cause) ? messageOf(cause) : ''
    if (more !== '' && !words.includes(more)) words += `: ${more}`
  }
  const hint = needsSharedMemory.test(words) ? sharedMemoryHint : packageInWords(words)
  return hint === null ? words : `${hint}: ${words}`
}

/** What Chromium prints about shared memory, and the frame in which a Python program ends. */
const needsSharedMemory = /\/dev\/shm\b|\bSemLock\b/
/** Comes first, because the output of a program may be longer than what is kept. */
const sharedMemoryHint =
  'jobs have no /dev/shm (start Chromium with --disable-dev-shm-usage; in Python use threads, or multiprocessing.Process with a Pipe)'

/** The stack of the error, of its causes, and of several errors in one. Of each, only the frames that it does not share with the one before. */
function stackOf(error: Error, repo: string): string {
  const parts = partsOf(error).map(part => withoutDeepPackages(inClone(part, repo)))
  return parts.map((part, index) => withoutShared(part, parts[index - 1])).join('\n')
}

function partsOf(error: Error): string[] {
  const causes = causesOf(error).flatMap(cause =>
    isError(cause) ? [`Caused by: ${ownStack(cause)}`, ...stacksIn(cause)] : [`Caused by: ${format(cause)}`],
  )
  return [ownStack(error), ...stacksIn(error), ...causes]
}

function ownStack(error: Error): string {
  const words = String(error.message)
  const stack = typeof error.stack === 'string' ? error.stack : words
  return stack.includes(words) ? stack : `${stack}\n${words}`
}

const stacksIn = (error: Error): string[] =>
  severalIn(error)
    .filter(isError)
    .slice(0, mostOfSeveral)
    .map(each => `One of them: ${ownStack(each)}`)

/** Fewer frames than these are rather read again than looked for. */
const fewestShared = 3

/** Frames from the caller down, of which the last ones are usually those of the error around it. */
function withoutShared(part: string, before: string | undefined): string {
  const lines = part.split('\n')
  const above = before?.split('\n') ?? []
  let shared = 0
  const isShared = (line: string | undefined) =>
    line !== undefined && /^\s+at /.test(line) && above.at(-1 - shared) === line
  while (isShared(lines.at(-1 - shared))) shared++
  if (shared < fewestShared) return part
  return [...lines.slice(0, -shared), `    … ${shared} lines as above`].join('\n')
}

function causesOf(error: Error): unknown[] {
  const causes: unknown[] = []
  for (let next = error.cause; next !== undefined && causes.length < mostCauses; ) {
    causes.push(next)
    next = isError(next) ? next.cause : undefined
  }
  return causes
}

/** The errors in an AggregateError, such as one for each address that did not answer. */
function severalIn(error: Error): unknown[] {
  const { errors } = error as Partial<AggregateError>
  return error.name === 'AggregateError' && Array.isArray(errors) ? errors : []
}

/** Some libraries put an object into `message`. An error of several lists those that it does not name itself. */
function messageOf(error: Error): string {
  const words = typeof error.message === 'string' ? error.message : format(error.message)
  const several = severalIn(error).map(each => (isError(each) ? each.message : format(each)))
  const more = [...new Set(several)].filter(each => !words.includes(each)).join('; ')
  return [words, more].filter(each => each !== '').join(': ')
}

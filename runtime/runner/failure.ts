import { format, inspect, types } from 'node:util'
import { accessDeniedInWords } from '../isolation/access-denied.ts'
import { firstPosition, inClone } from '../manifest/source-position.ts'
import type { ImportSites } from '../modules/import-sites.ts'
import { packageInWords } from '../modules/package-words.ts'
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
  const stack = isError(error) ? inClone(withImport(stackOf(error), { repo, sites }), repo) : ''
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
function withImport(
  stack: string,
  { repo, sites }: { repo: string; sites: ImportSites | undefined },
): string {
  if (firstPosition(stack, repo)) return stack
  const site = sites?.find(stack)
  if (!site) return stack
  return `${stack}\n    at import '${site.specifier}' (${repo}/${site.file}:${site.line}:${site.column})`
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

function stackOf(error: Error): string {
  return [ownStack(error), ...causesOf(error).map(cause => `Caused by: ${causeText(cause)}`)].join('\n')
}

function causeText(cause: unknown): string {
  if (!isError(cause)) return format(cause)
  const stack = ownStack(cause)
  const words = messageOf(cause)
  return stack.includes(String(cause.message)) && words !== '' ? stack : `${stack}\n${words}`
}

/** Without the causes. Several errors in one follow it, as far as they have stacks that say more than their messages. */
function ownStack(error: Error): string {
  const own = typeof error.stack === 'string' ? error.stack : String(error.message)
  const several = severalIn(error).filter(isError).slice(0, mostOfSeveral)
  return [own, ...several.map(each => `One of them: ${each.stack ?? each.message}`)].join('\n')
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

import { format } from 'node:util'
import { accessDeniedInWords } from '../isolation/access-denied.ts'
import { firstPosition, readableStack } from '../manifest/source-position.ts'
import type { ImportSites } from '../modules/import-sites.ts'
import { packageInWords } from '../modules/package-words.ts'
import { failureLimits } from './run-protocol.ts'

/** How many causes of causes an error is shown with. */
const mostCauses = 5

/** Puts what a job threw into the words that its run keeps, causes included. */
export function failureInWords(
  error: unknown,
  { repo, sites }: { repo: string; sites?: ImportSites | undefined },
): { message: string; stack: string | null } {
  const words = error instanceof Error ? wordsOf(error) : format(error)
  const stack = error instanceof Error ? readableStack(withImport(stackOf(error), { repo, sites }), repo) : ''
  return {
    message: words.slice(0, failureLimits.message),
    stack: stack.slice(0, failureLimits.stack) || null,
  }
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
    const more = cause instanceof Error ? messageOf(cause) : ''
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
  const own = typeof error.stack === 'string' ? error.stack : ''
  return [own, ...causesOf(error).map(cause => `Caused by: ${causeText(cause)}`)].join('\n')
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return format(cause)
  const stack = String(cause.stack ?? cause.message)
  const words = messageOf(cause)
  return stack.includes(words) ? stack : `${stack}\n${words}`
}

function causesOf(error: Error): unknown[] {
  const causes: unknown[] = []
  for (let next = error.cause; next !== undefined && causes.length < mostCauses; ) {
    causes.push(next)
    next = next instanceof Error ? next.cause : undefined
  }
  return causes
}

/** Some libraries put an object into `message`. An error without words of its own, such as one per address, lists the errors in it. */
function messageOf(error: Error): string {
  const words = typeof error.message === 'string' ? error.message : format(error.message)
  if (words !== '' || !(error instanceof AggregateError)) return words
  return [...new Set(error.errors.map(each => (each instanceof Error ? each.message : format(each))))].join(
    '; ',
  )
}

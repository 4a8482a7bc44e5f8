import { format } from 'node:util'
import { deniedInWords } from '../isolation/denied.ts'
import { mappedStack, readableStack } from '../manifest/source-position.ts'
import { failureLimits } from './running.ts'

/** Of an error that was caused by one that was caused … */
const mostCauses = 5

/** What a job threw, in the words that its run is kept with, causes included. */
export function failureInWords(
  error: unknown,
  { repo, built }: { repo: string; built: string },
): { message: string; stack: string | null } {
  const words = error instanceof Error ? wordsOf(error) : format(error)
  const stack = error instanceof Error ? readableStack(mappedStack(stackOf(error), built), repo) : ''
  return {
    message: words.slice(0, failureLimits.message),
    stack: stack.slice(0, failureLimits.stack) || null,
  }
}

/** `fetch failed` says little: what caused it is told with it, unless it is told already. */
function wordsOf(error: Error): string {
  let words =
    deniedInWords(error) ?? (error.name === 'Error' ? messageOf(error) : `${error.name}: ${messageOf(error)}`)
  for (const cause of causesOf(error)) {
    const more = cause instanceof Error ? messageOf(cause) : ''
    if (more !== '' && !words.includes(more)) words += `: ${more}`
  }
  return needsSharedMemory.test(words) ? `${sharedMemoryHint}: ${words}` : words
}

/** What Chromium prints of it, and the frame that a Python program ends in. */
const needsSharedMemory = /\/dev\/shm\b|\bSemLock\b/
/** First, because the output of a program may be longer than what is kept. */
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

/** Some libraries put an object there; of several errors in one, such as one for each address, those are told. */
function messageOf(error: Error): string {
  const words = typeof error.message === 'string' ? error.message : format(error.message)
  if (words !== '' || !(error instanceof AggregateError)) return words
  return [...new Set(error.errors.map(each => (each instanceof Error ? each.message : format(each))))].join(
    '; ',
  )
}

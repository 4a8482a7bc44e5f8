import { type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { CommandError } from './jobs-folder.ts'
import type { Place } from './place.ts'

export interface Question {
  signal: AbortSignal
  /** GET by default. */
  method?: string
  /** Sent as JSON. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

/** The other side refused, in its own words. */
export class Refusal extends CommandError {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Asks with the token, and resolves with the answer in JSON. Throws a CommandError with its words. */
export async function askJson<T>(place: Place, path: string, question: Question): Promise<T> {
  const text = await askText(place, path, {
    ...question,
    headers: { Accept: 'application/json', ...question.headers },
  })
  // What has no body has nothing to say.
  if (text === '') return undefined as T
  try {
    return JSON.parse(text) as T
  } catch {
    throw new CommandError(`${place.origin} does not answer as an instance of Longhouse`)
  }
}

export async function askText(place: Place, path: string, question: Question): Promise<string> {
  const answer = await open(place, path, question)
  return bodyOf(answer)
}

/** Opens an answer whose body is read as it comes. */
export async function open(
  { origin, token, at }: Place,
  path: string,
  { signal, method = 'GET', body, headers = {} }: Question,
): Promise<IncomingMessage> {
  const url = new URL(path, origin)
  const text = body === undefined ? '' : JSON.stringify(body)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.protocol === 'https:' && !at ? overHttps : overHttp
    const asked = request(
      url,
      {
        signal,
        method,
        agent: false,
        headers: {
          ...headers,
          Authorization: `Bearer ${token}`,
          ...(text !== '' && {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(text),
          }),
          ...(at && { Host: url.host }),
        },
        lookup: lookupFor(url),
        ...at,
      },
      resolve,
    )
    asked.once('error', reject)
    asked.end(text)
  }).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted()
    throw new CommandError(`${origin} does not answer: ${error.message || error.code}`)
  })
  const { statusCode: status = 0 } = answer
  if (status >= 200 && status < 300) return answer
  throw new Refusal(`${origin} says: ${wordsOf(await bodyOf(answer), status)}`, status)
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return text
}

/** The words of a problem document, those about single fields included. */
function wordsOf(body: string, status: number): string {
  try {
    const { detail, errors } = JSON.parse(body) as { detail?: unknown; errors?: unknown }
    if (typeof detail === 'string') return [detail, ...fieldFaults(errors, detail)].join('\n  ')
  } catch {
    // No problem document: a proxy in between answered.
  }
  return `status ${status}`
}

/** What is wrong with single fields, as far as the words do not say so already. */
function fieldFaults(errors: unknown, words: string): string[] {
  if (!Array.isArray(errors)) return []
  return (errors as { path?: unknown; message?: unknown }[])
    .filter(({ message }) => !words.includes(String(message)))
    .map(({ path, message }) => `${String(path)} ${String(message)}`)
}

/** Every `*.localhost` is this machine, as browsers and curl have it; not every system's resolver knows. */
function lookupFor(url: URL): LookupFunction | undefined {
  if (!url.hostname.endsWith('.localhost')) return undefined
  return (_, { all }, done) =>
    all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
}

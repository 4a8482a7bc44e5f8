import { type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { CommandError } from '../command/jobs-folder.ts'
import type { Instance } from './which-instance.ts'

interface Options {
  signal: AbortSignal
  headers?: Readonly<Record<string, string>>
}

/** Asks the instance with the token, and resolves with the answer in JSON. Throws a CommandError with its words. */
export async function askJson<T>(instance: Instance, path: string, options: Options): Promise<T> {
  const text = await askText(instance, path, { ...options, headers: { Accept: 'application/json' } })
  try {
    return JSON.parse(text) as T
  } catch {
    throw new CommandError(`${instance.origin} does not answer as an instance of Longhouse`)
  }
}

export async function askText(instance: Instance, path: string, options: Options): Promise<string> {
  const answer = await open(instance, path, options)
  return bodyOf(answer)
}

/** Opens an answer whose body is read as it comes. */
export async function open(
  { origin, token }: Instance,
  path: string,
  { signal, headers = {} }: Options,
): Promise<IncomingMessage> {
  const url = new URL(path, origin)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.protocol === 'https:' ? overHttps : overHttp
    const asked = request(
      url,
      {
        signal,
        agent: false,
        headers: { ...headers, Authorization: `Bearer ${token}` },
        lookup: lookupFor(url),
      },
      resolve,
    )
    asked.once('error', reject)
    asked.end()
  }).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted()
    throw new CommandError(`${origin} does not answer: ${error.message || error.code}`)
  })
  const { statusCode: status = 0 } = answer
  if (status === 200) return answer
  throw new CommandError(`${origin} says: ${detailOf(await bodyOf(answer), status)}`)
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return text
}

function detailOf(body: string, status: number): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    if (typeof detail === 'string') return detail
  } catch {
    // No problem document: a proxy in between answered.
  }
  return `status ${status}`
}

/** Every `*.localhost` is this machine, as browsers and curl have it; not every system's resolver knows. */
function lookupFor(url: URL): LookupFunction | undefined {
  if (!url.hostname.endsWith('.localhost')) return undefined
  return (_, { all }, done) =>
    all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
}

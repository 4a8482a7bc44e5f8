import type { Context } from 'hono'
import { isTooDeepJson, maxJsonDepth } from '../json-depth.ts'
import { badRequest, tooLarge, unsupportedMedia } from './problem.ts'

export interface BodyFields {
  values: Record<string, unknown>
  /** The format of the request: browsers send forms, programs JSON. */
  as: 'json' | 'form'
}

/**
 * Parses the fields of a request's body. A body that starts with `{` is JSON whatever its content type, because `curl
 * -d '{…}'` sends a form type; otherwise the content type decides. A field that a form repeats becomes a list.
 */
export async function readFields(c: Context, limitBytes: number): Promise<BodyFields> {
  const text = decode(await readBytes(c.req.raw, limitBytes))
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (text.trimStart().startsWith('{') || type.includes('json')) {
    return { values: parseJson(text), as: 'json' }
  }
  if (text !== '' && !formTypes.has(type)) {
    throw unsupportedMedia(`Bodies of type ${type} are not supported here; send JSON or a form.`)
  }
  const fields = new Map<string, unknown>()
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name)
    if (before === undefined) fields.set(name, value)
    else fields.set(name, Array.isArray(before) ? [...before, value] : [before, value])
  }
  // Creates own properties for every name, even `__proto__`, where an assignment would reach the prototype.
  return { values: Object.fromEntries(fields), as: 'form' }
}

/** `text/plain` is what a script sends when it sets no type for a string. */
const formTypes = new Set(['', 'application/x-www-form-urlencoded', 'text/plain'])

function parseJson(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`The body is not valid JSON: ${(error as Error).message}`, { cause: error })
  }
  if (isTooDeepJson(text)) throw badRequest(`The body is nested more than ${maxJsonDepth} deep.`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('The body must be a JSON object such as {"name": "value"}.')
  }
  return value as Record<string, unknown>
}

/** UTF-8 without a byte order mark. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw badRequest('The body is not valid UTF-8.', { cause: error })
  }
}

/**
 * How much of a body that is too large is read and discarded: closing the connection earlier would lose our response.
 */
const drainedBytes = 4 * 1024 * 1024

/** Keeps no more than the limit, whatever length the client announced. */
export async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array> {
  const refuse = () => tooLarge(`The body may hold at most ${limitBytes} bytes.`)
  // Before the body is read: the server itself drains a body that has not been touched.
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) throw refuse()
  const reader = request.body?.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    size += next.value.byteLength
    if (reader && size > limitBytes) {
      // The response is sent at once, while the rest of the body is drained.
      void drain(reader).catch(() => {})
      throw refuse()
    }
    chunks.push(next.value)
  }
  return Buffer.concat(chunks)
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let size = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.byteLength
    if (size > drainedBytes) return reader.cancel()
  }
}

import type { Context } from 'hono'
import { badRequest, tooLarge, unsupportedMedia } from './problem.ts'

/**
 * The fields of a request's body. A body that starts with `{` is JSON whatever its content type says, because
 * `curl -d '{…}'` sends a form type; otherwise the content type decides. A field that a form repeats becomes a list.
 */
export async function readFields(c: Context, limitBytes: number): Promise<Record<string, unknown>> {
  const text = decode(await readBytes(c.req.raw, limitBytes))
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (text.trimStart().startsWith('{') || type.includes('json')) return parseJson(text)
  if (text !== '' && !formTypes.has(type)) {
    throw unsupportedMedia(`A body of type ${type} is not understood here; send JSON or a form.`)
  }
  const fields = new Map<string, unknown>()
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name)
    if (before === undefined) fields.set(name, value)
    else fields.set(name, Array.isArray(before) ? [...before, value] : [before, value])
  }
  // Makes own properties of whatever name, `__proto__` too, where an assignment would reach the prototype.
  return Object.fromEntries(fields)
}

/** `text/plain` is what a script sends that says nothing about its string. */
const formTypes = new Set(['', 'application/x-www-form-urlencoded', 'text/plain'])

function parseJson(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`The body is not valid JSON: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('The body must be a JSON object such as {"name": "value"}.')
  }
  return value as Record<string, unknown>
}

/** UTF-8 without its byte order mark. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw badRequest('The body is not valid UTF-8.', { cause: error })
  }
}

/** Reads no more than the limit, whatever the length that the client announced. */
async function readBytes({ body, headers }: Request, limitBytes: number): Promise<Uint8Array> {
  const refuse = () => tooLarge(`The body may hold at most ${limitBytes} bytes.`)
  if (Number(headers.get('content-length') ?? 0) > limitBytes) throw refuse()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > limitBytes) throw refuse()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

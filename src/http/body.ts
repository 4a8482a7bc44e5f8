import type { Context } from 'hono'
import { badRequest, tooLarge } from './problem.ts'

/**
 * The fields of a request's body. A body that starts with `{` is JSON whatever its content type says, because
 * `curl -d '{…}'` sends a form type; otherwise the content type decides. A field that a form repeats becomes a list.
 */
export async function readFields(c: Context, limitBytes: number): Promise<Record<string, unknown>> {
  const text = await readText(c.req.raw, limitBytes)
  const type = c.req.header('content-type')?.toLowerCase() ?? ''
  if (text.trimStart().startsWith('{') || type.includes('json')) return parseJson(text)
  const fields: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else fields[name] = Array.isArray(before) ? [...before, value] : [before, value]
  }
  return fields
}

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

/** Reads no more than the limit, whatever the length that the client announced. */
async function readText({ body, headers }: Request, limitBytes: number): Promise<string> {
  const refuse = () => tooLarge(`The body may hold at most ${limitBytes} bytes.`)
  if (Number(headers.get('content-length') ?? 0) > limitBytes) throw refuse()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > limitBytes) throw refuse()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

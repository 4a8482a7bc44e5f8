import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from './arguments.ts'

/**
 * What `--params` and `--param` say together; a single `--param` wins over the same name in `--params`. `isText` knows
 * which of them hold text, whatever their value looks like.
 */
export function readParams(
  given: { params: string | undefined; param: readonly string[] },
  workingDir: string,
  isText: (name: string) => boolean,
): Record<string, unknown> {
  const params = given.params === undefined ? {} : readObject(given.params, workingDir)
  for (const pair of given.param) {
    const end = pair.indexOf('=')
    if (end < 1) throw new UsageError(`--param: "${pair}" is not of the form name=value`)
    const name = pair.slice(0, end)
    const value = pair.slice(end + 1)
    define(params, name, isText(name) ? value : jsonOrText(value))
  }
  return params
}

function readObject(text: string, workingDir: string): Record<string, unknown> {
  const source = text.startsWith('@') ? `the file "${text.slice(1)}"` : 'its value'
  let value: unknown
  try {
    value = JSON.parse(text.startsWith('@') ? readFileSync(resolve(workingDir, text.slice(1)), 'utf8') : text)
  } catch (error) {
    throw new UsageError(`--params: ${source} cannot be read as JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`--params: ${source} must be a JSON object such as {"count": 3}`)
  }
  return { ...value }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Also a name such as `__proto__` is only a name. */
function define(params: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(params, name, { value, enumerable: true, configurable: true, writable: true })
}

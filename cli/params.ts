import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { paramFaults } from '../runtime/params/check.ts'
import { acceptParams, type ParamsSpec } from '../runtime/params/params.ts'
import { UsageError } from './command/arguments.ts'

/**
 * Combines `--params` and `--param` as an instance accepts them; a single `--param` overrides the same name in
 * `--params`. Throws a UsageError that names what is invalid.
 */
export function readParams(
  given: { params: string | undefined; param: readonly string[] },
  spec: ParamsSpec | null,
  workingDir: string,
): Record<string, unknown> {
  const params = given.params === undefined ? {} : readObject(given.params, workingDir)
  for (const pair of given.param) {
    const end = pair.indexOf('=')
    if (end < 1) throw new UsageError(`--param: "${pair}" must have the form name=value`)
    const name = pair.slice(0, end)
    define(
      params,
      name,
      typedValue(pair.slice(end + 1), value => fits(spec, name, value)),
    )
  }
  const faults = spec ? paramFaults(spec.schema, params) : []
  if (faults.length === 0) return acceptParams(spec, params)
  const words = faults.map(({ path, message }) => `${path ? `"${path}"` : 'they'} ${message}`)
  throw new UsageError(`invalid parameters: ${words.slice(0, 20).join('; ')}`)
}

function fits(spec: ParamsSpec | null, name: string, value: unknown): boolean {
  if (!spec) return true
  return !paramFaults(spec.schema, { [name]: value }).some(({ path }) => `${path}.`.startsWith(`${name}.`))
}

/** Parses JSON, unless only the text itself is valid: for a text parameter, `12` is text. */
function typedValue(text: string, fits: (value: unknown) => boolean): unknown {
  const value = jsonOrText(text)
  return !fits(value) && fits(text) ? text : value
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

/** Even a name such as `__proto__` is only a name. */
function define(params: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(params, name, { value, enumerable: true, configurable: true, writable: true })
}

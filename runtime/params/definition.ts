import { paramFaults, withDefaults } from './check.ts'
import { isRecord, type JsonSchema } from './json-schema.ts'
import { schemaOfShape } from './shape.ts'

/**
 * What a job has as its `params`, where its own code runs: a plain shape, or a schema of zod or any other library that
 * follows Standard Schema (https://standardschema.dev).
 */
interface StandardSchema {
  '~standard': {
    validate(value: unknown): unknown
    jsonSchema?: { input?: (options: object) => unknown }
  }
}

/** A schema is an object with methods, or in some libraries a function. */
export function isStandardSchema(definition: unknown): definition is StandardSchema {
  const holds = (typeof definition === 'object' && definition !== null) || typeof definition === 'function'
  if (!holds || !('~standard' in definition)) return false
  const standard = definition['~standard']
  return isRecord(standard) && typeof standard.validate === 'function'
}

/** The schema as JSON Schema. A schema that cannot be expressed that way accepts any object until the run. */
export async function jsonSchemaOf(schema: StandardSchema): Promise<JsonSchema> {
  const target = 'draft-2020-12'
  const input = schema['~standard'].jsonSchema?.input
  const ways = [
    // What has no JSON, such as a Date, is left open instead of refused.
    () => input?.({ target, libraryOptions: { unrepresentable: 'any' } }),
    () => input?.({ target }),
    () => ('_zod' in schema && !input ? ofZod(schema) : undefined),
  ]
  for (const way of ways) {
    try {
      const found: unknown = await way()
      if (isRecord(found)) return found
    } catch {
      // The next way may work.
    }
  }
  return { type: 'object' }
}

/** The first versions of zod 4 do not say it themselves. */
async function ofZod(schema: unknown): Promise<unknown> {
  const { toJSONSchema } = await import('zod')
  return toJSONSchema(schema as never, { io: 'input', unrepresentable: 'any' })
}

/**
 * The parameters as the job gets them: parsed by its schema, or with the defaults of its shape. Throws in words that name
 * each that does not fit.
 */
export async function parseParams(
  definition: unknown,
  given: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  if (isStandardSchema(definition)) {
    const parsed = await definition['~standard'].validate(given)
    const { issues, value } = isRecord(parsed) ? parsed : {}
    if (Array.isArray(issues) && issues.length > 0) throw misfit(issues.map(issueInWords))
    return value as Record<string, unknown>
  }
  if (!isRecord(definition)) return given
  const { schema } = schemaOfShape(definition)
  const faults = paramFaults(schema, given)
  if (faults.length > 0) throw misfit(faults.map(({ path, message }) => `${path} ${message}`.trim()))
  return withDefaults(schema, given)
}

function misfit(words: readonly string[]): Error {
  const error = new Error(`invalid parameters: ${words.slice(0, 20).join('; ')}`)
  // It would show the lines of the runner.
  error.stack = ''
  return error
}

function issueInWords(issue: unknown): string {
  if (!isRecord(issue)) return String(issue)
  const path = Array.isArray(issue.path) ? issue.path : []
  const names = path.map(part => String(isRecord(part) ? part.key : part))
  return [names.join('.'), String(issue.message)].filter(part => part !== '').join(': ')
}

import { paramFaults, withDefaults } from './check.ts'
import { isRecord, type JsonSchema } from './json-schema.ts'
import { schemaOfShape } from './shape.ts'

/**
 * The `params` of a job, in the process of its code: a plain shape, or a schema of zod or any other library that
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
    // A type without JSON, such as a Date, accepts anything instead of being refused.
    () => input?.({ target, libraryOptions: { unrepresentable: 'any' } }),
    () => input?.({ target }),
    () => ('_zod' in schema && !input ? ofZod(schema) : undefined),
  ]
  for (const way of ways) {
    try {
      const found: unknown = await way()
      if (isRecord(found)) return found
    } catch {
      // Try the next method.
    }
  }
  return { type: 'object' }
}

/** The first versions of zod 4 do not export their JSON Schema themselves. */
async function ofZod(schema: unknown): Promise<unknown> {
  const { toJSONSchema } = await import('zod')
  return toJSONSchema(schema as never, { io: 'input', unrepresentable: 'any' })
}

/**
 * Returns the parameters for the job: parsed by its schema, or with the defaults of its shape. Throws an error that
 * names each invalid one.
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
  // It would contain lines of the runner.
  error.stack = ''
  return error
}

function issueInWords(issue: unknown): string {
  if (!isRecord(issue)) return String(issue)
  const path = Array.isArray(issue.path) ? issue.path : []
  const names = path.map(part => String(isRecord(part) ? part.key : part))
  return [names.join('.'), String(issue.message)].filter(part => part !== '').join(': ')
}

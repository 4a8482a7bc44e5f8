import { paramFaults } from './check.ts'
import type { JsonSchema } from './json-schema.ts'

/** A fault in a shape; `path` leads to it. */
export interface ShapeFault {
  path: string[]
  message: string
}

const types = ['string', 'text', 'number', 'integer', 'boolean', 'date', 'json'] as const
type TypeName = (typeof types)[number]

const typeWords = `must be one of ${types.map(type => `'${type}'`).join(', ')}, or a list of values`
const paramName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const mostParams = 50
const mostChoices = 200
const longestDefault = 2000

/**
 * Converts a plain shape, such as `{ name: 'string', count: { type: 'number', default: 3 }, kind: ['a', 'b'] }`, to
 * JSON Schema. Parameters are required unless they have a default or are optional; others are not allowed.
 */
export function schemaOfShape(shape: Readonly<Record<string, unknown>>): {
  schema: JsonSchema
  faults: ShapeFault[]
} {
  const faults: ShapeFault[] = []
  const names = Object.keys(shape)
  if (names.length > mostParams) faults.push({ path: [], message: `must be at most ${mostParams}` })
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const name of names.slice(0, mostParams)) {
    const fault = (message: string, field?: string) =>
      faults.push({ path: field === undefined ? [name] : [name, field], message })
    if (!paramName.test(name)) fault('is no name for a parameter: use letters, digits and _')
    const options = optionsOf(shape[name])
    const property = propertyOf(options, fault)
    if (!property) continue
    properties[name] = property
    if (options.optional !== true && options.default === undefined) required.push(name)
  }
  return { schema: { type: 'object', properties, required, additionalProperties: false }, faults }
}

type Options = Readonly<Record<string, unknown>>

/** `'number'` and `['a', 'b']` are short for `{ type: … }`. */
function optionsOf(definition: unknown): Options {
  const whole = typeof definition === 'object' && definition !== null && !Array.isArray(definition)
  return whole ? (definition as Options) : { type: definition }
}

function propertyOf(options: Options, fault: (message: string, field?: string) => void): JsonSchema | null {
  const { type } = options
  if (Array.isArray(type)) return choice(type, options, fault)
  if (!isTypeName(type)) {
    fault(type === undefined ? `is missing; it ${typeWords}` : typeWords, 'type')
    return null
  }
  const own = boundsOf[type] ?? {}
  const known = ['type', 'default', 'optional', 'description', ...Object.keys(own)]
  for (const field of Object.keys(options)) {
    if (!known.includes(field)) fault(`is no option of ${type}; there is ${known.join(', ')}`, field)
  }
  const bounds = Object.entries(own).flatMap(([field, keyword]) => {
    const value = options[field]
    if (value === undefined) return []
    const counts = type === 'string' || type === 'text'
    const fits = typeof value === 'number' && (!counts || (Number.isInteger(value) && value >= 0))
    if (!fits) fault(counts ? 'must be a number of characters' : 'must be a number', field)
    return fits ? [[keyword, value] as const] : []
  })
  return withExtras({ ...schemas[type], ...Object.fromEntries(bounds) }, options, fault)
}

function choice(
  values: readonly unknown[],
  options: Options,
  fault: (message: string, field?: string) => void,
): JsonSchema | null {
  const fits = values.every(value => typeof value === 'string' || typeof value === 'number')
  if (!fits || values.length === 0 || values.length > mostChoices || new Set(values).size < values.length) {
    fault(`must list from 1 to ${mostChoices} different texts or numbers`)
    return null
  }
  for (const field of Object.keys(options)) {
    if (!['type', 'default', 'optional', 'description'].includes(field))
      fault('is no option of a list of values', field)
  }
  return withExtras({ enum: values }, options, fault)
}

function withExtras(
  schema: JsonSchema,
  options: Options,
  fault: (message: string, field?: string) => void,
): JsonSchema {
  const { description, optional, default: standard } = options
  if (description !== undefined && (typeof description !== 'string' || description.length > 500))
    fault('must be text of at most 500 characters', 'description')
  if (optional !== undefined && typeof optional !== 'boolean') fault('must be true or false', 'optional')
  if (typeof standard === 'string' && standard.length > longestDefault) {
    fault(`must have at most ${longestDefault} characters`, 'default')
  } else if (standard !== undefined) {
    for (const { message } of paramFaults(schema, standard)) fault(message, 'default')
  }
  return {
    ...schema,
    ...(typeof description === 'string' ? { description } : {}),
    ...(standard === undefined ? {} : { default: standard }),
  }
}

function isTypeName(type: unknown): type is TypeName {
  return types.includes(type as TypeName)
}

const schemas: Record<TypeName, JsonSchema> = {
  string: { type: 'string' },
  text: { type: 'string', format: 'multiline' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  json: { type: ['object', 'array', 'string', 'number', 'boolean', 'null'] },
}

/** What `min` and `max` apply to, by type. */
const lengths = { min: 'minLength', max: 'maxLength' }
const values = { min: 'minimum', max: 'maximum' }
const boundsOf: Partial<Record<TypeName, Record<string, string>>> = {
  string: lengths,
  text: lengths,
  number: values,
  integer: values,
}

import { z } from 'zod'

export type JsonSchema = Record<string, unknown>

/** The type of a field on the wire, if its schema starts from text. */
const wireKey = 'x-on-the-wire'

/** Describes a field of a query or form by its meaning: a number is an integer, although it arrives as text. */
export function onTheWire<T extends z.ZodType>(schema: T, shape: JsonSchema): T {
  return schema.meta({ [wireKey]: shape }) as T
}

/** `true` or `false` in a query. */
export function flagField(): z.ZodType<boolean, string | undefined> {
  const flag = z
    .enum(['true', 'false'], 'must be true or false')
    .default('false')
    .transform(text => text === 'true')
  return onTheWire(flag, { type: 'boolean', default: false })
}

/** A whole number in a query, within bounds; `standard` by default. */
export function numberField(
  least: number,
  most: number,
  standard: number,
): z.ZodType<number, string | undefined> {
  const number = bounded(least, most).prefault(String(standard))
  return onTheWire(number, { ...integer(least, most), default: standard })
}

/** The same, without a default. */
export function optionalNumberField(
  least: number,
  most: number,
): z.ZodType<number | undefined, string | undefined> {
  return onTheWire(bounded(least, most).optional(), integer(least, most))
}

function bounded(least: number, most: number) {
  const words = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,15}$/, words)
    .transform(Number)
    .refine(value => value >= least && value <= most, words)
}

function integer(least: number, most: number): JsonSchema {
  return { type: 'integer', minimum: least, maximum: most }
}

/** Collects named schemas: those with an `id` in their meta. */
export class Components {
  readonly #schemas = new Map<string, JsonSchema>()

  /** Returns the JSON Schema, with references to the named components. */
  describe(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
    for (const [name, each] of Object.entries($defs)) {
      const { id: __, ...described } = each as JsonSchema
      const tidy = tidied(described) as JsonSchema
      const known = this.#schemas.get(name)
      if (known && JSON.stringify(known) !== JSON.stringify(tidy))
        throw new Error(`two different schemas are called "${name}"`)
      this.#schemas.set(name, tidy)
    }
    return tidied(rest) as JsonSchema
  }

  /** Sorted by name. */
  schemas(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** Removes details of validation: the pattern of a date, the bounds of every integer. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied)
  if (typeof value !== 'object' || value === null) return value
  const schema = value as JsonSchema
  const wire = schema[wireKey] as JsonSchema | undefined
  if (wire) return { ...wire, ...(schema.description ? { description: schema.description } : {}) }
  const entries = Object.entries(schema).flatMap(([key, each]): [string, unknown][] => {
    if (key === 'pattern' && schema.format === 'date-time') return []
    if (key === 'minimum' && each === Number.MIN_SAFE_INTEGER) return []
    if (key === 'maximum' && each === Number.MAX_SAFE_INTEGER) return []
    if (key === '$ref') return [[key, String(each).replace('#/$defs/', '#/components/schemas/')]]
    return [[key, tidied(each)]]
  })
  return Object.fromEntries(entries)
}

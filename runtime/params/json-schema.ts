/** A JSON Schema (2020-12) as produced by a library: nothing in it can be relied on. */
export type JsonSchema = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The parameters of an object's schema, each with its own schema. */
export function propertiesOf(schema: JsonSchema): [name: string, schema: JsonSchema][] {
  const { properties } = schema
  if (!isRecord(properties)) return []
  return Object.entries(properties).map(([name, each]) => [name, isRecord(each) ? each : {}])
}

/** The required names: those with a default are optional. */
export function requiredOf(schema: JsonSchema): string[] {
  const withDefault = new Set(
    propertiesOf(schema).flatMap(([name, each]) => ('default' in each ? [name] : [])),
  )
  const { required } = schema
  return Array.isArray(required)
    ? required.filter(name => typeof name === 'string' && !withDefault.has(name))
    : []
}

/** Resolves a `$ref` within the document; returns the schema itself without one, null if it leads nowhere. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema | null {
  let found: unknown = schema
  for (let hops = 0; hops < 10 && isRecord(found); hops++) {
    const { $ref } = found
    if (typeof $ref !== 'string') return found
    if (!$ref.startsWith('#')) return null
    found = $ref
      .split('/')
      .slice(1)
      .reduce<unknown>(
        (at, part) => (isRecord(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
        root,
      )
  }
  return null
}

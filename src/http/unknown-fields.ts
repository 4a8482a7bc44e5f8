import { z } from 'zod'
import type { FieldErrors } from './route.ts'

/**
 * Returns the fields that the schema of a body does not have, each as an error, in JSON and in forms alike: ignoring
 * a misspelt field would do something other than requested.
 */
export function unknownFields(schema: z.ZodType, fields: Readonly<Record<string, unknown>>): FieldErrors {
  const known = fieldsOf(schema)
  if (!known) return []
  const right = known.length === 0 ? 'none is taken' : `there is ${known.map(name => `"${name}"`).join(', ')}`
  return Object.keys(fields)
    .filter(name => !known.includes(name))
    .map(path => ({ path, message: `is not a field here; ${right}` }))
}

/** Returns query parameters that the schema does not have, or that are repeated, each as an error. */
export function unknownParameters(
  schema: z.ZodType | undefined,
  given: Readonly<Record<string, readonly string[]>>,
): FieldErrors {
  const known = schema ? fieldsOf(schema) : []
  if (!known) return []
  const right = known.length === 0 ? 'none is taken' : `there is ${known.map(name => `"${name}"`).join(', ')}`
  return Object.entries(given).flatMap(([path, values]) => {
    if (!known.includes(path)) return [{ path, message: `is not a query parameter here; ${right}` }]
    return values.length > 1 ? [{ path, message: 'must be given once' }] : []
  })
}

/** The names that an object may have; null if it accepts any, or checks them itself. */
export function fieldsOf(schema: z.core.$ZodType): string[] | null {
  if (schema instanceof z.ZodPipe) {
    const { in: taken, out } = schema.def
    return fieldsOf(taken instanceof z.ZodTransform ? out : taken)
  }
  if (!(schema instanceof z.ZodObject) || schema.def.catchall) return null
  return Object.keys(schema.shape)
}

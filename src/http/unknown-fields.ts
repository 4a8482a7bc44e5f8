import { z } from 'zod'
import type { FieldErrors } from './route.ts'

/**
 * Fields that the schema of a body does not know, each as an error, in JSON and in forms alike: passing over a misspelt
 * field would do something other than what was asked for.
 */
export function unknownFields(schema: z.ZodType, fields: Readonly<Record<string, unknown>>): FieldErrors {
  const known = fieldsOf(schema)
  if (!known) return []
  const right = known.length === 0 ? 'none is taken' : `there is ${known.map(name => `"${name}"`).join(', ')}`
  return Object.keys(fields)
    .filter(name => !known.includes(name))
    .map(path => ({ path, message: `is not a field here; ${right}` }))
}

/** The names that an object may have; null when it may have any, or says so itself. */
export function fieldsOf(schema: z.core.$ZodType): string[] | null {
  if (schema instanceof z.ZodPipe) {
    const { in: taken, out } = schema.def
    return fieldsOf(taken instanceof z.ZodTransform ? out : taken)
  }
  if (!(schema instanceof z.ZodObject) || schema.def.catchall) return null
  return Object.keys(schema.shape)
}

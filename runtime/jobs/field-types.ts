import { z } from 'zod'
import { durationMs, sizeBytes } from '../../src/config.ts'

/** The types of a job's fields as a manifest writes them, each with the words for what is wrong. */

export const text = (what: string) =>
  z.string({ error: issue => (issue.input === undefined ? `is missing; ${what}` : `must be text: ${what}`) })

export const oneOf = <const Value extends string>(...values: Value[]) =>
  z.enum(values, `must be one of ${values.map(value => `'${value}'`).join(', ')}`)

export const number = (least: number, most: number) => {
  const words = `must be a number from ${least} to ${most}`
  return z
    .number({ error: issue => (issue.input === undefined ? `is missing; ${words}` : words) })
    .min(least, words)
    .max(most, words)
}

/** Text such as `5m`, in milliseconds. */
export const duration = (least: string, most: string): z.ZodType<number> =>
  text('such as 30s, 10m or 2h')
    .transform(durationMs)
    .refine(
      ms => ms >= durationMs(least) && ms <= durationMs(most),
      `must be a duration from ${least} to ${most}, such as 30s, 10m or 2h`,
    )

/** Text such as `512m`, in bytes. */
export const size = (least: string, most: string): z.ZodType<number> =>
  text('such as 512m or 1g')
    .transform(sizeBytes)
    .refine(
      bytes => bytes >= sizeBytes(least) && bytes <= sizeBytes(most),
      `must be a size from ${least} to ${most}, such as 512m or 1g`,
    )

/** An object with these fields and no others. */
export function only<Shape extends z.core.$ZodLooseShape>(shape: Shape, expected?: string) {
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? `has no field called ${issue.keys.join(', ')}; known are ${Object.keys(shape).join(', ')}`
        : expected,
  })
}

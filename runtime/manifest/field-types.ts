import { z } from 'zod'
import { durationMs, sizeBytes } from '../../src/kernel/config.ts'
import { nearest } from '../../src/nearest.ts'

/** The types of a job's fields as written in a manifest, each with its error messages. */

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
    error: issue => (issue.code === 'unrecognized_keys' ? noField(issue.keys, Object.keys(shape)) : expected),
  })
}

function noField(wrong: readonly string[], known: readonly string[]): string {
  const meant = new Set(wrong.map(each => meantField(each, known)).filter(name => name !== null))
  const hint = meant.size > 0 ? `did you mean ${[...meant].join(', ')}? Known` : 'known'
  return `has no field called ${wrong.join(', ')}; ${hint} are ${known.join(', ')}`
}

/** The names of fields in other schedulers. */
const elsewhere: Readonly<Record<string, string>> = {
  ...{ schedule: 'cron', name: 'id', tz: 'timezone', zone: 'timezone', env: 'secrets' },
  ...{ handler: 'func', function: 'func', fn: 'func', run: 'func', task: 'func' },
  ...{ retries: 'retry', max: 'attempts', maxAttempts: 'attempts', backoff: 'factor' },
}

/** Returns the missing field that a misspelt one was meant to be; null if none is similar. */
function meantField(wrong: string, missing: readonly string[]): string | null {
  const other = elsewhere[wrong]
  return other !== undefined && missing.includes(other) ? other : nearest(wrong, missing)
}

/** Keeps one error per mistake: the first of each field, and no missing field if a misspelt one was meant for it. */
export function oneEach(issues: readonly z.core.$ZodIssue[], input: unknown): z.core.$ZodIssue[] {
  const isMissing = ({ path }: z.core.$ZodIssue) => valueAt(input, path) === undefined
  const missing = issues.filter(isMissing)
  const meant = new Set<z.core.$ZodIssue>()
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const beside = new Map(
      missing.flatMap(each => (isWithin(each.path, issue.path) ? [[String(each.path.at(-1)), each]] : [])),
    )
    for (const wrong of issue.keys) {
      const echo = beside.get(meantField(wrong, [...beside.keys()]) ?? '')
      if (echo) meant.add(echo)
    }
  }
  const seen = new Set<string>()
  return issues.filter(issue => {
    if (issue.code === 'unrecognized_keys') return true
    const place = issue.path.join('.')
    const first = !seen.has(place)
    seen.add(place)
    return first && !meant.has(issue)
  })
}

function isWithin(path: readonly PropertyKey[], outer: readonly PropertyKey[]): boolean {
  return path.length === outer.length + 1 && outer.every((part, index) => path[index] === part)
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value === null || typeof value !== 'object' ? undefined : Reflect.get(value, part)),
    input,
  )
}

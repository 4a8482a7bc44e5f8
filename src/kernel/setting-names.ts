import { z } from 'zod'
import { editDistance, nearest } from '../nearest.ts'
import type { Environment } from './config.ts'

/** The variables of a part's settings. */
export function settingNames(schema: unknown): string[] {
  if (schema instanceof z.ZodPipe) return settingNames(schema.in)
  if (schema instanceof z.ZodIntersection)
    return [schema.def.left, schema.def.right].flatMap(each => settingNames(each))
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** Only our own variables have this prefix. */
const ownPrefix =
  /^(BRAND|LONGHOUSE|INSTANCE|ROUTER|PROVISIONER|BILLING|BRIDGE|SSO|RETENTION|OPENID|OPERATORS|CONTROL_PLANE)_/

/** Used by the compose file, by scripts and by tests. */
const elsewhere = new Set(['LONGHOUSE_CONTROL_PLANE_IMAGE', 'LONGHOUSE_TEST_IMAGE', 'LONGHOUSE_DEMAND_ALL'])

/** A name with at most this many wrong letters was certainly meant. */
const mostWrong = 2

/**
 * Returns variables that look like settings but are not used. `misspelt` are a letter or two from a used one, and
 * certainly meant for it; `unknown` only have our prefix. Each is a sentence without its value, which may be a
 * secret.
 */
export function strangeSettings(
  env: Environment,
  known: Iterable<string>,
): { misspelt: string[]; unknown: string[] } {
  const names = new Set(known)
  const found = { misspelt: [] as string[], unknown: [] as string[] }
  for (const [name, value] of Object.entries(env)) {
    if (!value || names.has(name) || elsewhere.has(name) || !/^[A-Z][A-Z0-9_]{5,}$/.test(name)) continue
    const meant = [...names].find(each => each.length > 5 && editDistance(name, each, mostWrong) <= mostWrong)
    if (meant !== undefined) found.misspelt.push(`${name}: no setting has this name; did you mean ${meant}?`)
    else if (ownPrefix.test(name)) {
      const like = nearest(name, names)
      const hint = like === null ? '' : `; the nearest is ${like}`
      found.unknown.push(`${name}: no setting has this name, so that it does nothing${hint}`)
    }
  }
  return found
}

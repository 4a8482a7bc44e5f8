import { z } from 'zod'
import { numberField } from './json-schema.ts'

/** `?limit=&offset=` of a long list, with `limit` at most 500. */
export function listWindow(defaultLimit: number) {
  return z.object({ limit: numberField(1, 500, defaultLimit), offset: numberField(0, 999_999_999, 0) })
}

/** `?search=`: words that a list entry must contain; '' matches all. */
export const searchField = z.string().trim().max(200, 'must have at most 200 characters').default('')

import { z } from 'zod'

/** `?limit=&offset=` of a long list, with `limit` at most 500. */
export function listWindow(defaultLimit: number) {
  return z.object({
    limit: windowField(1, 500).prefault(String(defaultLimit)),
    offset: windowField(0, 999_999_999).prefault('0'),
  })
}

/** One bound of a window in a query. */
export function windowField(least: number, most: number) {
  const words = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, words)
    .transform(Number)
    .refine(value => value >= least && value <= most, words)
}

/** `?search=`: words that an entry of the list has somewhere; '' finds all. */
export const searchField = z.string().trim().max(200, 'must have at most 200 characters').default('')

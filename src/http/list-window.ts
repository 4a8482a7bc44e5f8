import { z } from 'zod'

/** `?limit=&offset=` of a long list, with `limit` at most 500. */
export function listWindow(defaultLimit: number) {
  const number = (least: number, most: number, standard: number) => {
    const words = `must be a whole number from ${least} to ${most}`
    return z
      .string()
      .regex(/^\d{1,9}$/, words)
      .transform(Number)
      .refine(value => value >= least && value <= most, words)
      .prefault(String(standard))
  }
  return z.object({ limit: number(1, 500, defaultLimit), offset: number(0, 999_999_999, 0) })
}

/** `?search=`: words that an entry of the list has somewhere; '' finds all. */
export const searchField = z.string().trim().max(200, 'must have at most 200 characters').default('')

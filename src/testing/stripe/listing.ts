import type { Fields } from './form.ts'
import { invalid, type Value } from './form.ts'

/** The parameters of every list. */
export const listFields: Fields = {
  limit: 'any',
  starting_after: 'any',
  ending_before: 'any',
  expand: { '*': 'any' },
}

/** A page of a list, newest first as in Stripe's lists: `all` is oldest first. */
export function listOf<T extends { id: string }>(
  url: string,
  all: readonly T[],
  params: Record<string, Value>,
): { object: 'list'; url: string; has_more: boolean; data: T[] } {
  const limit = Number(params.limit ?? 10)
  if (!(limit >= 1 && limit <= 100)) throw invalid('Invalid integer: limit', { param: 'limit' })
  const newest = all.toReversed()
  const after = params.starting_after as string | undefined
  const from = after === undefined ? 0 : newest.findIndex(each => each.id === after) + 1
  return {
    object: 'list',
    url,
    has_more: newest.length > from + limit,
    data: newest.slice(from, from + limit),
  }
}

/** The expandable fields to expand; any other is refused. */
export function expansions(params: Record<string, Value>, possible: readonly string[]): ReadonlySet<string> {
  const asked = Object.values((params.expand ?? {}) as Record<string, string>)
  for (const each of asked) {
    if (!possible.includes(each))
      throw invalid(`This property cannot be expanded (${each}).`, { param: 'expand' })
  }
  return new Set(asked)
}

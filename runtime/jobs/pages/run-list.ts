import { z } from 'zod'
import { listWindow } from '../../../src/http/list-window.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import type { AppContext } from '../../../src/http/route.ts'
import type { RunFilter } from '../contract.ts'

/**
 * `?limit=&offset=&cursor=` of a list of runs. A cursor continues where an earlier response ended, despite new runs.
 */
export const runWindow = listWindow(50).extend({
  cursor: z
    .string()
    .regex(/^[0-9a-z]{1,10}$/, 'must be the next_cursor of a previous answer')
    .transform(text => Number.parseInt(text, 36))
    .optional()
    .meta({ description: 'The `next_cursor` of a previous answer; use it instead of `offset`' }),
})

/** The fields of every list of runs besides the runs. */
export const runListShape = {
  total: z.int().meta({ description: 'The number of all matching runs' }),
  next_cursor: z.string().nullable().meta({
    description: 'The cursor of the next page; null on the last page, or where only `offset` is supported',
  }),
}

export const linkHeader = { Link: 'Links to the `first`, `prev` and `next` pages (RFC 8288)' }

type Window = z.output<typeof runWindow>

/** Parses the window of a list. Throws the Problem `invalid` for a cursor with an offset. */
export function windowOf({ limit, offset, cursor }: Window): Pick<RunFilter, 'limit' | 'offset' | 'after'> {
  if (cursor === undefined) return { limit, offset }
  if (offset > 0)
    throw invalidFields([{ path: 'cursor', message: 'cannot be combined with offset; send one of them' }])
  return { limit, offset, after: cursor }
}

/** Throws the Problem `invalid` if a list can only be read by offset. */
export function refuseCursor({ cursor }: Window, beside: string): void {
  if (cursor !== undefined)
    throw invalidFields([
      { path: 'cursor', message: `cannot be combined with ${beside}; send offset instead` },
    ])
}

/**
 * Sets the `Link` header, relative to this host, and returns the fields of the response. `next` is the cursor of the
 * next part; without it the next part is found by offset.
 */
export function linked(
  c: AppContext,
  { limit, offset, cursor }: Window,
  { total, next }: { total: number; next?: number | null },
): { total: number; next_cursor: string | null } {
  const at = (change: Record<string, string>) => {
    const query = new URLSearchParams(c.req.query())
    for (const name of ['cursor', 'offset']) query.delete(name)
    for (const [name, value] of Object.entries({ limit: String(limit), ...change })) query.set(name, value)
    return `<${c.req.path}?${query}>`
  }
  const nextCursor = next == null ? null : next.toString(36)
  const links = [`${at({})}; rel="first"`]
  if (cursor === undefined && offset > 0)
    links.push(`${at({ offset: String(Math.max(0, offset - limit)) })}; rel="prev"`)
  if (nextCursor !== null) links.push(`${at({ cursor: nextCursor })}; rel="next"`)
  else if (next === undefined && offset + limit < total)
    links.push(`${at({ offset: String(offset + limit) })}; rel="next"`)
  c.header('Link', links.join(', '))
  return { total, next_cursor: nextCursor }
}

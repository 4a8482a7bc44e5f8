import { and, asc, desc, type SQL, sql } from 'drizzle-orm'
import { diskUses, instances, notes } from '../schema.ts'

/** Lower needs the operator sooner. */
const severity = sql<number>`case ${instances.status}
  when 'failed' then 0 when 'unhealthy' then 1 when 'provisioning' then 2 when 'stopping' then 2
  when 'deprovisioning' then 2 when 'running' then 3 when 'stopped' then 4 else 5 end`

/** What each order compares, never null: what is not known is the least. Equal ones are by name. */
const columns = {
  subdomain: sql<string>`${instances.subdomain}`,
  status: severity,
  desired: sql<string>`${instances.desired}`,
  version: sql<string>`coalesce(${notes.versionOrder}, '')`,
  plan: sql<string>`coalesce(lower(${notes.plan}), '')`,
  owner: sql<string>`lower(${instances.ownerEmail})`,
  driver: sql<string>`${instances.driver}`,
  disk: sql<number>`coalesce(${diskUses.bytes}, -1)`,
  backup: sql<number>`coalesce(${notes.copiedAt}, 0)`,
  created: sql<number>`${instances.createdAt}`,
  health: sql<number>`coalesce(${instances.lastHealthAt}, 0)`,
} as const

export type SortColumn = keyof typeof columns
export const sortColumns = Object.keys(columns) as SortColumn[]

export interface Order {
  column: SortColumn
  descending: boolean
}

/** Every order, as `?sort=` names it: a column, with `-` before it for the reverse. */
export const orderNames: readonly string[] = sortColumns.flatMap(column => [column, `-${column}`])

export function orderOf(name: string): Order {
  const descending = name.startsWith('-')
  return { column: (descending ? name.slice(1) : name) as SortColumn, descending }
}

export const nameOf = ({ column, descending }: Order): string => `${descending ? '-' : ''}${column}`

/** What the order compares, for a row that a cursor is to begin after. */
export const sortedBy = ({ column }: Order): SQL<string | number> => columns[column]

export function orderBy({ column, descending }: Order): SQL[] {
  const way = descending ? desc : asc
  return column === 'subdomain'
    ? [way(instances.subdomain)]
    : [way(columns[column]), way(instances.subdomain)]
}

/** The place in an order right after one instance. It stays right when instances before it come and go. */
export interface Cursor {
  order: string
  value: string | number
  subdomain: string
}

export function after(order: Order, { value, subdomain }: Cursor): SQL | undefined {
  const sign = sql.raw(order.descending ? '<' : '>')
  return and(sql`(${columns[order.column]}, ${instances.subdomain}) ${sign} (${value}, ${subdomain})`)
}

export function writeCursor({ order, value, subdomain }: Cursor): string {
  return Buffer.from(JSON.stringify([order, value, subdomain])).toString('base64url')
}

/** Null for what `writeCursor` did not write. */
export function readCursor(text: string): Cursor | null {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
  if (!Array.isArray(parts) || parts.length !== 3) return null
  const [order, value, subdomain] = parts as unknown[]
  const wellFormed =
    typeof order === 'string' &&
    orderNames.includes(order) &&
    (typeof value === 'string' || typeof value === 'number') &&
    typeof subdomain === 'string'
  return wellFormed ? { order, value, subdomain } : null
}

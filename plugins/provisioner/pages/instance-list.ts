import { and, asc, count, eq, isNull, or, type SQL, sql } from 'drizzle-orm'
import { behind, type DefaultImage } from '../records/default-image.ts'
import { type ProvisionerDb, selectInstances } from '../records/instance.ts'
import { lastOperationsOf, type OperationRecord } from '../records/operation.ts'
import { olderSettings } from '../records/settings-digest.ts'
import { type Instance, instances } from '../schema.ts'

export interface InstanceQuery {
  /** What the name or the owner's address contains; '' finds all. */
  search: string
  /** Only those that run with older settings. */
  outdated: boolean
  /** Only those whose image differs from the default one. */
  behind: boolean
  limit: number
  offset: number
}

export interface InstanceWindow {
  /** By name, each with its newest operation. */
  rows: { instance: Instance; operation: OperationRecord | null }[]
  /** How many the query finds. */
  found: number
  /** Of all: how many there are, are removed and hold their names, run with older settings, and are behind. */
  total: number
  removed: number
  outdated: number
  behind: number
}

/** One window of the list of instances. It reads what it shows, however many there are. */
export function listWindowOf(
  db: ProvisionerDb,
  query: InstanceQuery,
  digest: string,
  image: DefaultImage,
): InstanceWindow {
  const kept = isNull(instances.purgedAt)
  const behindIt = behind(image)
  const wanted = and(
    kept,
    query.search === '' ? undefined : contains(query.search.toLowerCase()),
    query.outdated ? olderSettings(digest) : undefined,
    query.behind ? (behindIt ?? sql`false`) : undefined,
  )
  const number = (where: SQL | undefined) =>
    db.select({ number: count() }).from(instances).where(where).get()?.number ?? 0
  const page = selectInstances(db)
    .where(wanted)
    .orderBy(asc(instances.subdomain))
    .limit(query.limit)
    .offset(query.offset)
    .all()
  const last = lastOperationsOf(
    db,
    page.flatMap(({ operationId }) => operationId ?? []),
  )
  const total = number(kept)
  return {
    rows: page.map(instance => ({ instance, operation: last.get(instance.id) ?? null })),
    found: query.search === '' && !query.outdated && !query.behind ? total : number(wanted),
    total,
    removed: number(and(kept, eq(instances.status, 'deleted'))),
    outdated: number(and(kept, olderSettings(digest))),
    behind: behindIt === null ? 0 : number(behindIt),
  }
}

function contains(words: string): SQL | undefined {
  return or(
    sql`instr(${instances.subdomain}, ${words})`,
    sql`instr(lower(${instances.ownerEmail}), ${words})`,
  )
}

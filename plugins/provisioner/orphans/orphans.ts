import type { Concern } from '../../../src/kernel/concern.ts'
import type { Logger } from '../../../src/log.ts'
import { gauge, type Metric } from '../../../src/metrics/exposition.ts'
import type { Fleet } from '../records/fleet.ts'
import { selectInstances } from '../records/instance.ts'
import { instancesAtWork } from '../records/operation.ts'
import type { Instance } from '../schema.ts'
import { containerless, leftOver, strayContainers } from './containers.ts'
import { namesIn, strayFolders, unreadableFolders, volumeless } from './folders.ts'
import { type Orphan, orphanId, orphanKinds } from './orphan.ts'

/** How often what is there is compared with the records. */
export const compareEveryMs = 15 * 60_000

/** Where the operator sees them. */
export const orphansPath = '/admin/orphans'

/** What the last comparison found. Nothing is done about it without the operator. */
export class Orphans {
  #found: readonly Orphan[] = []
  #unknown: readonly string[] = []
  #checkedAt: number | null = null

  get found(): readonly Orphan[] {
    return this.#found
  }

  /** What could not be looked at, in words: it is unknown whether there are orphans. */
  get unknown(): readonly string[] {
    return this.#unknown
  }

  get checkedAt(): number | null {
    return this.#checkedAt
  }

  /** One sentence for the pages; null when there are none. */
  get warning(): string | null {
    const containers = this.#found.filter(({ kind }) => kind === 'container')
    if (containers.length === 0) return null
    const listed = containers.slice(0, 5).map(({ name, why }) => `${name} (${why})`)
    const more = containers.length - listed.length
    return `Docker has containers that do not fit the records: ${listed.join(', ')}${more > 0 ? `, and ${more} more` : ''}. The overview leads to them.`
  }

  /** Compares containers, networks, folders, routes and copies with the records. What cannot be looked at is said in `unknown`. */
  async compare(fleet: Fleet, log: Logger): Promise<void> {
    const unknown: string[] = []
    const attempt = async <T>(look: () => Promise<T>): Promise<T | null> => {
      try {
        return await look()
      } catch (error) {
        unknown.push((error as Error).message)
        return null
      }
    }
    const { dataRoot } = fleet.site
    const containers = await attempt(() => fleet.driver.existing(dataRoot))
    const leftovers = await attempt(() => fleet.driver.leftovers(dataRoot))
    const there = await attempt(() => namesIn(dataRoot))
    const names = there?.names
    // Read after the host was asked: a new instance is in the records before it has a container, a folder or a route.
    const routes = fleet.router.subdomains()
    const copied = fleet.copies()?.instances() ?? []
    const records = recordsOf(fleet)
    const atWork = instancesAtWork(fleet.db)
    const found = [
      ...(containers ? strayContainers(containers, records, atWork) : []),
      ...(leftovers ?? []).map(leftOver),
      ...(containers && fleet.driver.outlivesControlPlane ? containerless(containers, records, atWork) : []),
      ...((names && (await attempt(() => strayFolders(fleet, names, records)))) ?? []),
      ...unreadableFolders(there?.unreadable ?? []),
      ...((names && (await attempt(() => volumeless(fleet, names, records, atWork)))) ?? []),
      ...strayRoutes(routes, records),
      ...strayCopies(copied, records),
    ]
    const known = new Set(this.#found.map(({ id }) => id))
    for (const { kind, name, why } of found.filter(({ id }) => !known.has(id)))
      log.warn({ kind, name, why }, 'something does not fit the records')
    this.#found = found
    this.#unknown = unknown
    this.#checkedAt = fleet.clock.now()
    if (unknown.length > 0) log.warn({ unknown }, 'not everything could be compared with the records')
  }

  concerns(): Concern[] {
    const number = this.#found.length
    if (number === 0) return []
    const listed = this.#found.slice(0, 5).map(({ name, why }) => `${name}: ${why}`)
    return [
      {
        ...{ kind: 'orphans', subject: 'orphans', subdomain: null, path: orphansPath },
        summary:
          number === 1 ? '1 thing does not fit the records' : `${number} things do not fit the records`,
        detail: listed.join('; ') + (number > listed.length ? `; and ${number - listed.length} more` : ''),
        urgency: this.#found.some(({ running }) => running) ? 'alert' : 'notice',
      },
    ]
  }

  metrics(): Metric[] {
    if (this.#checkedAt === null) return []
    const number = (kind: Orphan['kind']) => this.#found.filter(each => each.kind === kind).length
    return [
      gauge(
        'longhouse_orphans',
        'What does not fit the records, by kind, at the last comparison.',
        orphanKinds.map(kind => [{ kind }, number(kind)]),
      ),
    ]
  }
}

function recordsOf({ db }: Pick<Fleet, 'db'>): ReadonlyMap<string, Instance> {
  return new Map(
    selectInstances(db)
      .all()
      .map(each => [each.id, each]),
  )
}

function strayRoutes(subdomains: readonly string[], records: ReadonlyMap<string, Instance>): Orphan[] {
  const taken = new Set(
    [...records.values()].flatMap(each => (each.purgedAt === null ? [each.subdomain] : [])),
  )
  return subdomains
    .filter(subdomain => !taken.has(subdomain))
    .map(subdomain => ({
      ...{
        id: orphanId('route', subdomain, ''),
        kind: 'route',
        name: subdomain,
        instanceId: null,
        running: false,
      },
      ...{ why: 'requests for it are routed, and no record has this name', since: null, bytes: null },
      ...{ repair: 'forget', advice: 'Requests for it are answered with 404 from then on.' },
    }))
}

function strayCopies(
  copied: readonly {
    instanceId: string
    subdomain: string
    copies: number
    bytes: number
    newestAt: number
  }[],
  records: ReadonlyMap<string, Instance>,
): Orphan[] {
  return copied
    .filter(({ instanceId }) => !records.has(instanceId))
    .map(({ instanceId, subdomain, copies, bytes, newestAt }) => ({
      ...{ id: orphanId('copies', subdomain, instanceId), kind: 'copies', name: subdomain, instanceId },
      ...{ running: false, since: newestAt, bytes, repair: null },
      why: `the store has ${copies === 1 ? 'a backup' : `${copies} backups`} of ${instanceId}, which no record knows`,
      advice: 'The backups stay until their time is over. The records may be older than the backups.',
    }))
}

import { and, asc, count, gt, inArray, isNull, sql } from 'drizzle-orm'
import { counter, gauge, type Metric } from '../../../src/metrics/exposition.ts'
import { Histogram } from '../../../src/metrics/histogram.ts'
import { operationKinds } from '../contract.ts'
import { instances, type Operation, operations, suspensions } from '../schema.ts'
import { crampedInstances, totalDiskUse } from './disk-use.ts'
import type { Fleet } from './fleet.ts'
import type { ProvisionerDb } from './instance.ts'

/** Upper bounds in seconds. */
const bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const
/** In the order in which operations were recorded, whatever the clock said. */
const row = sql<number>`${operations}.rowid`
const endings = ['succeeded', 'failed', 'superseded'] as const

type Ended = Pick<Operation, 'id' | 'kind' | 'status' | 'startedAt' | 'finishedAt'> & { row: number }

/**
 * Counts operations that ended since the program started. It counts nothing by itself: `update` reads what is new in the
 * table.
 */
export class OperationCounts {
  readonly #db: ProvisionerDb
  readonly #ended = new Map<string, number>()
  readonly #durations = new Map<string, Histogram>()
  /** Operations that had not ended at the last update. */
  #open: string[]
  #newest: number

  constructor(db: ProvisionerDb) {
    this.#db = db
    const rows = this.#select(sql`${operations.status} in ('pending', 'running')`)
    this.#open = rows.map(({ id }) => id)
    this.#newest =
      db
        .select({ newest: sql<number | null>`max(${row})` })
        .from(operations)
        .get()?.newest ?? 0
  }

  /** Call it at least once before the oldest records are deleted. */
  update(): void {
    const known = this.#open.length > 0 ? this.#select(inArray(operations.id, this.#open)) : []
    const fresh = this.#select(gt(row, this.#newest))
    this.#newest = fresh.at(-1)?.row ?? this.#newest
    const rows = [...known, ...fresh]
    this.#open = rows.filter(({ finishedAt }) => finishedAt === null).map(({ id }) => id)
    for (const row of rows) if (row.finishedAt !== null) this.#count(row)
  }

  metrics(): Metric[] {
    this.update()
    return [
      counter(
        'longhouse_operations_total',
        'Operations that ended since the program started.',
        operationKinds.flatMap(kind =>
          endings.map((result): Metric['samples'][number] => [
            { kind, result },
            this.#ended.get(`${kind} ${result}`) ?? 0,
          ]),
        ),
      ),
      gauge('longhouse_operations_open', 'Operations that wait or are carried out.', [
        [{}, this.#open.length],
      ]),
      {
        name: 'longhouse_operation_duration_seconds',
        help: 'How long operations took that succeeded since the program started.',
        type: 'histogram',
        samples: [...this.#durations].flatMap(([kind, histogram]) => histogram.samples({ kind })),
      },
    ]
  }

  #count({ kind, status, startedAt, finishedAt }: Ended): void {
    const key = `${kind} ${status}`
    this.#ended.set(key, (this.#ended.get(key) ?? 0) + 1)
    if (status !== 'succeeded' || startedAt === null || finishedAt === null) return
    const histogram = this.#durations.get(kind) ?? new Histogram(bounds)
    histogram.observe((finishedAt - startedAt) / 1000)
    this.#durations.set(kind, histogram)
  }

  #select(which: ReturnType<typeof sql> | ReturnType<typeof gt>): Ended[] {
    const { id, kind, status, startedAt, finishedAt } = operations
    return this.#db
      .select({ id, kind, status, startedAt, finishedAt, row })
      .from(operations)
      .where(which)
      .orderBy(asc(row))
      .all()
  }
}

/** The instances whose volume may still exist. */
export function instanceMetrics(db: ProvisionerDb): Metric[] {
  const kept = isNull(instances.purgedAt)
  const { status, desired } = instances
  const rows = db
    .select({ status, desired, n: count() })
    .from(instances)
    .where(kept)
    .groupBy(status, desired)
    .all()
  const suspended = db
    .select({ n: count() })
    .from(suspensions)
    .innerJoin(instances, and(sql`${instances.id} = ${suspensions.instanceId}`, kept))
    .get()
  return [
    gauge(
      'longhouse_instances',
      'Instances whose volume is there, by status and by what they should be.',
      rows.map(row => [{ status: row.status, desired: row.desired }, row.n]),
    ),
    gauge('longhouse_instances_suspended', 'Instances that do not run, whatever they should be.', [
      [{}, suspended?.n ?? 0],
    ]),
  ]
}

/** The disk space of all volumes. */
export function diskMetrics(fleet: Pick<Fleet, 'db' | 'diskBytes'>): Metric[] {
  const cramped = crampedInstances(fleet)
  const count = (...levels: string[]) => cramped.filter(({ level }) => levels.includes(level)).length
  return [
    gauge('longhouse_volumes_bytes', 'What all volumes take on the disk, as they were last measured.', [
      [{}, totalDiskUse(fleet.db)],
    ]),
    gauge(
      'longhouse_instances_short_of_disk',
      'Instances that use at least 80 % of their disk space, or all of it.',
      [
        [{ level: 'low' }, count('warned')],
        [{ level: 'full' }, count('full', 'beyond')],
      ],
    ),
  ]
}

import { statfs } from 'node:fs/promises'
import { z } from 'zod'
import { principalKinds } from '../../src/acting.ts'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import { OverviewPage } from '../../views/operator/overview-page.tsx'
import {
  type InstanceStatus,
  instanceStatuses,
  operationKinds,
  operationStatuses,
  type ProvisionerService,
} from '../provisioner/contract.ts'

const path = '/admin/overview'
const recentOperations = 20

function byEachStatus<T>(value: (status: InstanceStatus) => T): Record<InstanceStatus, T> {
  return Object.fromEntries(instanceStatuses.map(status => [status, value(status)])) as Record<
    InstanceStatus,
    T
  >
}

const overviewSchema = z.object({
  instances: z.object({
    total: z.int().meta({ description: 'Instances whose volume is there' }),
    by_status: z.object(byEachStatus(() => z.int())),
  }),
  attention: z
    .array(
      z.object({
        kind: z.string(),
        subdomain: z.string().nullable(),
        summary: z.string(),
        detail: z.string(),
        urgency: z.enum(['alert', 'notice']),
        path: z.string(),
      }),
    )
    .meta({ description: 'What needs the operator now' }),
  capacity: z.object({
    memory: z.object({
      promised_bytes: z.int().meta({ description: 'The limits of all instances that should run, together' }),
      total_bytes: z
        .int()
        .nullable()
        .meta({ description: 'What the engine has; null where it does not say' }),
    }),
    disk: z.object({ free_bytes: z.int(), total_bytes: z.int() }),
    addresses: z
      .object({
        used: z.int(),
        total: z.int().meta({ description: 'How many instances can run on the network at once' }),
      })
      .nullable()
      .meta({
        description: 'Of the network of the instances; null where they have none, or it is not known',
      }),
  }),
  operations: z.array(
    z.object({
      id: z.string(),
      subdomain: z.string(),
      kind: z.enum(operationKinds),
      status: z.enum(operationStatuses),
      error: z.string().nullable(),
      actor: z
        .object({ kind: z.enum(principalKinds), id: z.string(), name: z.string() })
        .nullable()
        .meta({ description: 'Who asked for it' }),
      created_at: z.iso.datetime(),
      finished_at: z.iso.datetime().nullable(),
    }),
  ),
})

/** The overview, for scripts and for people. */
export function overviewRoutes(parts: {
  admin: Guard
  clock: Clock
  provisioner: Pick<ProvisionerService, 'summary'>
  dataRoot: string
  concerns(): Promise<readonly Concern[]>
}): Route[] {
  const { admin, clock, provisioner, dataRoot, concerns } = parts
  return [
    route({
      method: 'get',
      path,
      summary: 'Counts, what needs the operator, capacity and the newest operations',
      guard: admin,
      role: 'read',
      answers: { 200: { description: 'The overview', schema: overviewSchema } },
      handle: async c => {
        const { byStatus, memory, addresses, operations } = provisioner.summary(recentOperations)
        const attention = (await concerns()).toSorted((a, b) => a.urgency.localeCompare(b.urgency))
        const { bsize, blocks, bavail } = await statfs(dataRoot)
        const disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
        if (wantsPage(c) || wantsFragment(c)) {
          const page = (
            <OverviewPage
              now={clock.now()}
              counts={instanceStatuses.flatMap(status => {
                const number = byStatus[status] ?? 0
                return number === 0 ? [] : [{ status, number }]
              })}
              {...{ attention, memory, disk, addresses, operations }}
            />
          )
          return show(c, page, operatorFrame('Overview', path))
        }
        const counts = byEachStatus(status => byStatus[status] ?? 0)
        return c.json({
          instances: { total: Object.values(counts).reduce((sum, n) => sum + n, 0), by_status: counts },
          attention: attention.map(({ kind, subdomain, summary, detail, urgency, path: page }) => ({
            ...{ kind, subdomain, summary, detail, urgency },
            path: page,
          })),
          capacity: {
            memory: { promised_bytes: memory.promisedBytes, total_bytes: memory.totalBytes },
            disk: { free_bytes: disk.freeBytes, total_bytes: disk.totalBytes },
            addresses,
          },
          operations: operations.map(({ createdAt, finishedAt, ...operation }) => ({
            ...operation,
            created_at: timestamp(createdAt),
            finished_at: timestamp(finishedAt),
          })),
        })
      },
    }),
  ]
}

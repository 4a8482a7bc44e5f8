import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import {
  type InstanceUsage,
  type ProvisionerService,
  type Spread,
  type UsagePeriod,
  usagePeriods,
} from '../provisioner/contract.ts'

const spread = z.object({ min: z.number(), avg: z.number(), max: z.number() })
const usageShape = z.object({
  period: z.enum(usagePeriods),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  step_seconds: z.int().meta({ description: 'How long each stretch is' }),
  now: z
    .object({
      at: z.iso.datetime(),
      cpu: z.number().nullable().meta({ description: 'In cores; null after the first look' }),
      memory_bytes: z.int(),
      processes: z.int(),
      started_at: z.iso.datetime().nullable(),
    })
    .nullable()
    .meta({ description: 'As last measured; null while it does not run' }),
  points: z
    .array(
      z.object({
        at: z.iso.datetime().meta({ description: 'When the stretch began' }),
        cpu: spread.meta({ description: 'In cores' }),
        memory_bytes: spread,
        disk_bytes: spread.nullable(),
        processes: z.int().meta({ description: 'The most of them' }),
      }),
    )
    .meta({ description: 'Oldest first. A stretch in which nothing was measured is left out' }),
})

/** What an instance takes, for scripts; its page shows the same. */
export function usageRoute(parts: {
  admin: Guard
  provisioner: Pick<ProvisionerService, 'instance'>
  usageOf(instanceId: string, period: UsagePeriod): InstanceUsage
}): Route {
  const { admin, provisioner, usageOf } = parts
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}/usage',
    summary: 'What an instance takes of the processor, memory and disk, now and over time',
    guard: admin,
    role: 'read',
    params: z.object({ subdomain: z.string() }),
    query: z.object({
      period: z.enum(usagePeriods, `must be one of ${usagePeriods.join(', ')}`).default('day'),
    }),
    answers: { 200: { description: 'The usage', schema: usageShape } },
    handle: (c, { params: { subdomain }, query: { period } }) => {
      const { id } = provisioner.instance(subdomain)
      const { now, from, to, stretchMs, points } = usageOf(id, period)
      return c.json({
        period,
        from: timestamp(from),
        to: timestamp(to),
        step_seconds: stretchMs / 1000,
        now: now && {
          at: timestamp(now.at),
          cpu: now.cpu === null ? null : rounded(now.cpu),
          memory_bytes: now.memoryBytes,
          processes: now.processes,
          started_at: timestamp(now.startedAt),
        },
        points: points.map(point => ({
          at: timestamp(point.at),
          cpu: spreadBy(point.cpu, rounded),
          memory_bytes: spreadBy(point.memoryBytes, Math.round),
          disk_bytes: point.diskBytes && spreadBy(point.diskBytes, Math.round),
          processes: point.processes,
        })),
      })
    },
  })
}

const rounded = (cores: number) => Math.round(cores * 1000) / 1000

function spreadBy({ min, avg, max }: Spread, round: (value: number) => number): Spread {
  return { min: round(min), avg: round(avg), max: round(max) }
}

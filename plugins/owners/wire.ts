import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import {
  desiredStates,
  type OwnedInstance,
  operationStatuses,
  stepStatuses,
} from '../provisioner/contract.ts'

const time = z.iso.datetime().nullable()

export const ownedInstanceSchema = z.object({
  id: z.string(),
  subdomain: z.string(),
  url: z.url(),
  status: z.string(),
  reachable: z.boolean().meta({ description: 'Whether requests reach it, whatever its status' }),
  desired: z.enum(desiredStates),
  created_at: z.iso.datetime(),
  last_health_at: time,
  deleted_at: time,
  purge_at: time.meta({ description: 'When its data will be deleted; null when no deletion is planned' }),
  suspension: z.string().nullable().meta({ description: 'Why it is suspended; null when it is not' }),
  billed: z.boolean().meta({ description: 'False when it needs no plan and counts against none' }),
  disk_used_bytes: z.int().nullable(),
  disk_limit_bytes: z.int().nullable().meta({ description: 'Null for no limit' }),
  limits: z
    .object({ memory_bytes: z.int(), cpus: z.number(), processes: z.int(), runs_at_once: z.int() })
    .meta({ description: 'What it may take: of its plan, or as every instance' }),
  usage: z
    .object({ memory_bytes: z.int(), cpus: z.number().nullable(), processes: z.int() })
    .nullable()
    .meta({ description: 'What it takes of these now; null while it does not run' }),
  operation: z
    .object({
      kind: z.string(),
      status: z.enum(operationStatuses),
      created_at: z.iso.datetime(),
      finished_at: time,
      steps: z.array(z.object({ name: z.string(), status: z.enum(stepStatuses) })),
    })
    .nullable(),
})

export const withPassword = ownedInstanceSchema.extend({ password: z.string() })

/** The wire form of an instance, for its owner. */
export function wireOwnedInstance(instance: OwnedInstance): z.infer<typeof ownedInstanceSchema> {
  const { id, subdomain, url, status, desired, operation } = instance
  return {
    id,
    subdomain,
    url,
    status,
    reachable: instance.reachable,
    desired,
    created_at: timestamp(instance.createdAt),
    last_health_at: timestamp(instance.lastHealthAt),
    deleted_at: timestamp(instance.deletedAt),
    purge_at: timestamp(instance.purgeAt),
    suspension: instance.suspension,
    billed: instance.billed,
    disk_used_bytes: instance.disk.usedBytes,
    disk_limit_bytes: instance.disk.limitBytes,
    limits: {
      memory_bytes: instance.limits.memoryBytes,
      cpus: instance.limits.cpus,
      processes: instance.limits.processes,
      runs_at_once: instance.limits.runsAtOnce,
    },
    usage: instance.usage && {
      memory_bytes: Math.round(instance.usage.memoryBytes),
      cpus: instance.usage.cpu === null ? null : Math.round(instance.usage.cpu * 1000) / 1000,
      processes: instance.usage.processes,
    },
    operation: operation && {
      kind: operation.kind,
      status: operation.status,
      created_at: timestamp(operation.createdAt),
      finished_at: timestamp(operation.finishedAt),
      steps: operation.steps.map(({ name, status }) => ({ name, status })),
    },
  }
}

import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import type { RequestUse } from '../contract.ts'

/** Those instances of an account that had requests in the last day, the busiest first. */
export function requestUse(
  provisioner: Pick<ProvisionerService, 'instances' | 'busiestMinute'>,
  accountId: string,
): RequestUse[] {
  return provisioner
    .instances()
    .filter(instance => instance.accountId === accountId)
    .flatMap(({ id, subdomain }) => {
      const minute = provisioner.busiestMinute(id)
      if (!minute) return []
      const { at, requests, refused } = minute
      return [{ subdomain, at, perSecond: Number((requests / 60).toFixed(2)), refused }]
    })
    .toSorted((a, b) => b.perSecond - a.perSecond)
}

export const requestUseSchema = z
  .array(
    z.object({
      subdomain: z.string(),
      at: z.iso.datetime().meta({ description: 'When the minute began' }),
      requests_per_second: z.number().meta({ description: 'On average over the minute' }),
      refused: z.int().meta({ description: 'How many requests of that minute a limit refused' }),
    }),
  )
  .meta({
    description:
      'The busiest minute of each instance in the last day; without those that had no requests, and empty where another proxy routes requests',
  })

export const wireRequestUse = (use: readonly RequestUse[]): z.infer<typeof requestUseSchema> =>
  use.map(({ subdomain, at, perSecond, refused }) => ({
    ...{ subdomain, at: timestamp(at), requests_per_second: perSecond, refused },
  }))

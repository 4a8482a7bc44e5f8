import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { type UsagePeriod, usagePeriods } from '../provisioner/contract.ts'
import { type Counts, percentile, requestsOf } from './counts.ts'
import type { Traffic } from './watch.ts'

const counts = {
  requests: z.int().meta({ description: 'All: answered, broken off and refused' }),
  answers: z
    .object({ '1xx': z.int(), '2xx': z.int(), '3xx': z.int(), '4xx': z.int(), '5xx': z.int() })
    .meta({ description: 'Requests that were answered, by class of status; a WebSocket is one with 1xx' }),
  broken: z.int().meta({ description: 'Requests whose answer did not arrive whole' }),
  refused: z.int().meta({ description: 'Requests that a limit kept from the instance' }),
  bytes_in: z.int().meta({ description: 'Bytes of bodies and WebSockets from clients' }),
  bytes_out: z.int().meta({ description: 'The same to clients' }),
  p50_ms: z
    .number()
    .nullable()
    .meta({ description: 'Median time until the answer began, by buckets; null without answers' }),
  p99_ms: z.number().nullable().meta({ description: 'The 99th percentile of it' }),
}

export const trafficShape = z.object({
  period: z.enum(usagePeriods),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  step_seconds: z.int().meta({ description: 'How long each stretch is' }),
  now: z
    .object({
      seconds: z.number().meta({ description: 'How much time these figures are of: the last minute' }),
      in_progress: z.int().meta({ description: 'Requests and WebSockets in progress' }),
      ...counts,
    })
    .meta({ description: 'The last minute' }),
  points: z
    .array(z.object({ at: z.iso.datetime().meta({ description: 'When the stretch began' }), ...counts }))
    .meta({ description: 'Oldest first. A stretch without traffic is left out' }),
})

export function wireTraffic({ now, from, to, stretchMs, points }: Traffic, period: UsagePeriod) {
  return {
    period,
    from: timestamp(from),
    to: timestamp(to),
    step_seconds: stretchMs / 1000,
    now: { seconds: rounded(now.seconds), in_progress: now.inProgress, ...wireCounts(now) },
    points: points.map(point => ({ at: timestamp(point.at), ...wireCounts(point) })),
  }
}

function wireCounts(counts: Counts) {
  const [s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0] = counts.answers
  return {
    requests: requestsOf(counts),
    answers: { '1xx': s1, '2xx': s2, '3xx': s3, '4xx': s4, '5xx': s5 },
    broken: counts.broken,
    refused: counts.refused,
    bytes_in: counts.bytesIn,
    bytes_out: counts.bytesOut,
    p50_ms: maybe(percentile(counts, 0.5)),
    p99_ms: maybe(percentile(counts, 0.99)),
  }
}

const rounded = (value: number) => Math.round(value * 10) / 10
const maybe = (value: number | null) => (value === null ? null : rounded(value))

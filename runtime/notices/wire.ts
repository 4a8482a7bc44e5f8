import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { deliveryStatuses } from '../../src/delivery-queue.ts'
import type { Incident } from './incidents.ts'
import type { Message } from './outbox.ts'

const time = z.iso.datetime()

export const incidentShape = z.object({
  id: z.string(),
  job_id: z.string(),
  kind: z.enum(['failing', 'too-long', 'overdue', 'no-next-slot']),
  detail: z.string(),
  opened_at: time,
  closed_at: time.nullable(),
})

export const messageShape = z.object({
  id: z.string(),
  incident_id: z.string().nullable(),
  kind: z.enum(['opened', 'recovered', 'missed', 'test']),
  channel: z.enum(['email', 'webhook']),
  subject: z.string(),
  text: z.string(),
  status: z.enum(deliveryStatuses),
  attempts: z.int(),
  next_attempt_at: time.nullable(),
  created_at: time,
  finished_at: time.nullable(),
  error: z.string().nullable().meta({ description: 'Why the last attempt failed' }),
})

export const noticeSettingsShape = z.object({
  email_to: z.string().meta({ description: 'Addresses separated by commas' }),
  smtp_url: z.string().meta({ description: 'Empty when the operator’s mail server is used, or none' }),
  smtp_from: z.string(),
  webhook_url: z.string(),
  heartbeat_url: z.string(),
  failures_in_a_row: z.int(),
  channels: z.object({ email: z.boolean(), webhook: z.boolean() }),
  heartbeat: z
    .object({ at: time, error: z.string().nullable() })
    .nullable()
    .meta({ description: 'The last one since the instance started' }),
})

export function incidentJson(incident: Incident): z.input<typeof incidentShape> {
  const { id, jobId, kind, detail, openedAt, closedAt } = incident
  return { id, job_id: jobId, kind, detail, opened_at: timestamp(openedAt), closed_at: timestamp(closedAt) }
}

export function messageJson(message: Message): z.input<typeof messageShape> {
  const { id, incidentId, kind, channel, content, status, attempts, error } = message
  return {
    id,
    incident_id: incidentId,
    kind,
    channel,
    subject: content.subject,
    text: content.text,
    status,
    attempts,
    next_attempt_at: status === 'queued' ? timestamp(message.nextAt) : null,
    created_at: timestamp(message.createdAt),
    finished_at: timestamp(message.finishedAt),
    error,
  }
}

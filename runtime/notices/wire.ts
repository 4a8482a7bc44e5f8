import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { deliveryStatuses } from '../../src/delivery/delivery-queue.ts'
import { channels, messageKinds } from './channel.ts'
import { commitStates } from './commit-state.ts'
import { incidentKinds } from './finding.ts'
import { runDetailJson, runDetailShape } from './run-detail.ts'
import type { Message } from './schema.ts'
import type { Incident } from './watch/incidents.ts'

const time = z.iso.datetime()

export const incidentShape = z
  .object({
    id: z.string(),
    job_id: z
      .string()
      .nullable()
      .meta({ description: 'The job; null for incidents of the instance as a whole' }),
    kind: z.enum(incidentKinds),
    detail: z.string(),
    opened_at: time,
    closed_at: time.nullable(),
    told_at: time.nullable().meta({ description: 'When the last notice about it was sent' }),
    told_to: z.array(z.enum(channels)).meta({ description: 'The channels that got a notice about it' }),
    reminders: z.int().meta({ description: 'How many reminders have been sent' }),
    muted_at: time
      .nullable()
      .meta({ description: 'When it was muted; no further notices about it are sent' }),
  })
  .meta({ id: 'Incident' })

export const messageShape = z
  .object({
    id: z.string(),
    incident_id: z.string().nullable(),
    kind: z.enum(messageKinds),
    channel: z.enum(channels),
    subject: z.string(),
    text: z.string(),
    status: z.enum(deliveryStatuses),
    attempts: z.int(),
    next_attempt_at: time.nullable(),
    created_at: time,
    finished_at: time.nullable(),
    error: z.string().nullable().meta({ description: 'Why the last attempt to send it failed' }),
    run: runDetailShape.nullable().meta({ description: 'The run that the message is about' }),
  })
  .meta({ id: 'Message' })

export const noticeSettingsShape = z
  .object({
    email_to: z.string().meta({ description: 'Email addresses, separated by commas' }),
    smtp_url: z
      .string()
      .meta({ description: 'The mail server; empty to use the operator’s, if there is one' }),
    smtp_from: z.string(),
    webhook_url: z.string(),
    slack_url: z.string(),
    discord_url: z.string(),
    heartbeat_url: z.string(),
    failures_in_a_row: z
      .int()
      .meta({ description: 'How many runs of a job must fail in a row before a notice is sent' }),
    channels: z.object({
      email: z.boolean(),
      webhook: z.boolean(),
      slack: z.boolean(),
      discord: z.boolean(),
    }),
    heartbeat: z
      .object({ at: time, error: z.string().nullable() })
      .nullable()
      .meta({ description: 'The last heartbeat since the instance started' }),
    commit_status: z
      .object({
        commit: z.string(),
        state: z.enum(commitStates),
        description: z.string(),
        at: time,
        error: z.string().nullable().meta({ description: 'Why it could not be sent' }),
      })
      .nullable()
      .meta({ description: 'The last commit status sent to GitHub or GitLab' }),
  })
  .meta({ id: 'NoticeSettings' })

export function incidentJson(incident: Incident): z.input<typeof incidentShape> {
  const { id, jobId, kind, detail, reminders, notifiedChannels } = incident
  return {
    id,
    job_id: jobId || null,
    kind,
    detail,
    opened_at: timestamp(incident.openedAt),
    closed_at: timestamp(incident.closedAt),
    told_at: timestamp(incident.notifiedAt),
    told_to: notifiedChannels,
    reminders,
    muted_at: timestamp(incident.mutedAt),
  }
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
    run: content.run ? runDetailJson(content.run) : null,
  }
}

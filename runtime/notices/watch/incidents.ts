import { and, between, desc, eq, isNotNull, isNull } from 'drizzle-orm'
import { newId } from '../../../src/ids.ts'
import type { Channel } from '../channel.ts'
import type { About, Finding } from '../finding.ts'
import type { NoticesDb } from '../notices-db.ts'
import { incidents } from '../schema.ts'

export type Incident = typeof incidents.$inferSelect

/**
 * The shortest time between two messages about the same incident: a job that fails every other second is reported
 * once an hour.
 */
const quietMs = 60 * 60_000
/** The time between two reminders of an open incident. */
const reminderMs = 24 * 60 * 60_000

/** A message about an incident. */
export interface Notification {
  kind: 'opened' | 'recovered' | 'reminder'
  incident: Incident
  finding: Finding | null
}

export interface Notifier {
  /** The channels that are set up for what concerns this. */
  channels(about: About): Channel[]
  /** Queues a message for these channels. */
  notify(tx: Pick<NoticesDb, 'insert'>, notification: Notification, channels: readonly Channel[]): void
}

/**
 * Updates the open incidents to match the findings, in one transaction:
 *
 * 1. A finding without an open incident opens one. It is reported once it has lasted for its patience, unless the
 *    same was reported within the last hour.
 * 2. A channel added since gets every open incident, so the first channel gets all of them.
 * 3. An open incident is repeated once a day, until a person mutes it.
 * 4. An incident without a finding closes. The recovery is reported if the opening was and the job is still watched.
 */
export function updateIncidents(
  db: NoticesDb,
  options: {
    findings: readonly Finding[]
    isWatched: (about: About) => boolean
    now: number
    notifier: Notifier
  },
): void {
  const { findings, isWatched, now, notifier } = options
  const found = byKey(findings)
  /** Absolute, so that a clock that was set back delays nothing. */
  const since = (at: number) => Math.abs(now - at)

  db.transaction(tx => {
    const notifiedRecently = ({ jobId, kind }: About) =>
      tx
        .select({ id: incidents.id })
        .from(incidents)
        .where(
          and(
            eq(incidents.jobId, jobId),
            eq(incidents.kind, kind),
            between(incidents.notifiedAt, now - quietMs, now),
          ),
        )
        .get() !== undefined
    const change = (incident: Incident, values: Partial<Incident>) => {
      tx.update(incidents).set(values).where(eq(incidents.id, incident.id)).run()
      Object.assign(incident, values)
    }

    const notifyIfDue = (incident: Incident, finding: Finding) => {
      if (incident.mutedAt !== null) return
      const isNotified = incident.notifiedAt !== null
      if (!isNotified && (since(incident.openedAt) < (finding.patienceMs ?? 0) || notifiedRecently(incident)))
        return
      const channels = notifier.channels(incident)
      if (channels.length === 0) return
      const fresh = channels.filter(channel => !incident.notifiedChannels.includes(channel))
      if (fresh.length > 0) {
        const notifiedChannels = [...incident.notifiedChannels, ...fresh]
        change(incident, { notifiedChannels, notifiedAt: incident.notifiedAt ?? now })
        notifier.notify(tx, { kind: 'opened', incident, finding }, fresh)
      }
      const again = channels.filter(channel => !fresh.includes(channel))
      if (again.length === 0 || incident.notifiedAt === null || since(incident.notifiedAt) < reminderMs)
        return
      change(incident, { notifiedAt: now, reminders: incident.reminders + 1 })
      notifier.notify(tx, { kind: 'reminder', incident, finding }, again)
    }

    for (const incident of tx.select().from(incidents).where(isNull(incidents.closedAt)).all()) {
      const finding = found.get(keyOf(incident))
      found.delete(keyOf(incident))
      if (!finding) {
        change(incident, { closedAt: now })
        if (incident.notifiedChannels.length > 0 && isWatched(incident))
          notifier.notify(tx, { kind: 'recovered', incident, finding: null }, notifier.channels(incident))
      } else if (!finding.undecided) {
        if (finding.detail !== incident.detail) change(incident, { detail: finding.detail })
        notifyIfDue(incident, finding)
      }
    }
    for (const finding of found.values()) {
      if (finding.undecided) continue
      const { jobId, kind, detail } = finding
      const incident: Incident = {
        id: newId('inc', now),
        jobId,
        kind,
        detail,
        openedAt: now,
        closedAt: null,
        notifiedAt: null,
        notifiedChannels: [],
        mutedAt: null,
        reminders: 0,
      }
      tx.insert(incidents).values(incident).run()
      notifyIfDue(incident, finding)
    }
  })
}

/** Merges findings about the same. */
function byKey(findings: readonly Finding[]): Map<string, Finding> {
  const found = new Map<string, Finding>()
  for (const finding of findings) {
    const before = found.get(keyOf(finding))
    const both = before && { ...before, detail: `${before.detail}\n${finding.detail}` }
    found.set(keyOf(finding), both ?? finding)
  }
  return found
}

function keyOf({ jobId, kind }: About): string {
  return `${kind} ${jobId}`
}

/** Open ones first, then the newest. */
export function listIncidents(db: NoticesDb, limit: number): Incident[] {
  const open = db
    .select()
    .from(incidents)
    .where(isNull(incidents.closedAt))
    .orderBy(desc(incidents.openedAt), desc(incidents.id))
    .limit(limit)
    .all()
  const over = db
    .select()
    .from(incidents)
    .where(isNotNull(incidents.closedAt))
    .orderBy(desc(incidents.openedAt), desc(incidents.id))
    .limit(limit - open.length)
    .all()
  return [...open, ...over]
}

/**
 * Mutes an open incident, or unmutes it: a muted incident is not reported again until it is over. Muting twice
 * changes nothing. Returns the incident; null if there is none, `over` if it is closed.
 */
export function muteIncident(
  db: NoticesDb,
  id: string,
  { muted, now }: { muted: boolean; now: number },
): Incident | null | 'over' {
  const incident = db.select().from(incidents).where(eq(incidents.id, id)).get()
  if (!incident) return null
  if (incident.closedAt !== null) return 'over'
  const mutedAt = muted ? (incident.mutedAt ?? now) : null
  db.update(incidents).set({ mutedAt }).where(eq(incidents.id, id)).run()
  return { ...incident, mutedAt }
}

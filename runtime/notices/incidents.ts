import { and, desc, eq, gt, isNotNull, isNull } from 'drizzle-orm'
import type { Db } from '../../src/database.ts'
import { newId } from '../../src/ids.ts'
import { type MessageContent, openedMessage, type Place, recoveredMessage } from './message.ts'
import { incidents } from './schema.ts'
import type { NoticesSchema } from './tables.ts'
import type { Finding } from './watch.ts'

export type Incident = typeof incidents.$inferSelect

/** What was told comes again no sooner than this: a job that fails every other second is told once an hour. */
const quietMs = 60 * 60_000

export type Tell = (
  tx: Pick<Db<NoticesSchema>, 'insert'>,
  kind: 'opened' | 'recovered',
  content: MessageContent,
) => void

/**
 * Brings the open incidents in line with what was found, in one transaction: a new finding opens one and is told; one
 * that is no longer found closes, and is told when its opening was and somebody still wants to know (`isWatched`).
 */
export function settleIncidents(
  db: Db<NoticesSchema>,
  options: {
    findings: readonly Finding[]
    isWatched: (incident: Pick<Finding, 'jobId' | 'kind'>) => boolean
    place: Place
    now: number
    tell: Tell
  },
): void {
  const { findings, isWatched, place, now, tell } = options
  const keyOf = ({ jobId, kind }: Pick<Finding, 'jobId' | 'kind'>) => `${kind} ${jobId}`
  const found = new Map(findings.map(finding => [keyOf(finding), finding]))

  db.transaction(tx => {
    const open = tx.select().from(incidents).where(isNull(incidents.closedAt)).all()
    const toldLately = (finding: Pick<Finding, 'jobId' | 'kind'>) =>
      tx
        .select({ id: incidents.id })
        .from(incidents)
        .where(
          and(
            eq(incidents.jobId, finding.jobId),
            eq(incidents.kind, finding.kind),
            isNotNull(incidents.toldAt),
            gt(incidents.toldAt, now - quietMs),
          ),
        )
        .get() !== undefined
    const tellOpening = (incident: Incident) => {
      if (toldLately(incident)) return
      tx.update(incidents).set({ toldAt: now }).where(eq(incidents.id, incident.id)).run()
      tell(tx, 'opened', openedMessage(incident, place, now))
    }

    for (const incident of open) {
      const finding = found.get(keyOf(incident))
      found.delete(keyOf(incident))
      if (finding) {
        const { detail } = finding
        if (detail !== incident.detail)
          tx.update(incidents).set({ detail }).where(eq(incidents.id, incident.id)).run()
        if (incident.toldAt === null) tellOpening({ ...incident, detail })
        continue
      }
      tx.update(incidents).set({ closedAt: now }).where(eq(incidents.id, incident.id)).run()
      const wasTold = incident.toldAt !== null
      if (wasTold && isWatched(incident)) tell(tx, 'recovered', recoveredMessage(incident, place, now))
    }
    for (const finding of found.values()) {
      const incident = { ...finding, id: newId('inc', now), openedAt: now, closedAt: null, toldAt: null }
      tx.insert(incidents).values(incident).run()
      tellOpening(incident)
    }
  })
}

/** Open ones first, then the newest. */
export function listIncidents(db: Db<NoticesSchema>, limit: number): Incident[] {
  const open = db
    .select()
    .from(incidents)
    .where(isNull(incidents.closedAt))
    .orderBy(desc(incidents.openedAt))
    .limit(limit)
    .all()
  const over = db
    .select()
    .from(incidents)
    .where(isNotNull(incidents.closedAt))
    .orderBy(desc(incidents.openedAt))
    .limit(limit - open.length)
    .all()
  return [...open, ...over]
}

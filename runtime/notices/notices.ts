import { and, isNotNull, lt } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { request } from '../../src/delivery/webhook.ts'
import type { Logger } from '../../src/log.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type { Run } from '../jobs/contract.ts'
import { destinationOf, ordinaryNotify } from '../manifest/notify.ts'
import { type CommitStatuses, commitStatusWriter } from './delivery/commit-status.ts'
import { createOutbox, type Outbox } from './delivery/outbox.ts'
import type { About } from './finding.ts'
import {
  missedMessage,
  openedMessage,
  type Place,
  recoveredMessage,
  reminderMessage,
  testMessage,
} from './messages/message.ts'
import type { NoticesDb } from './notices-db.ts'
import { runDetail } from './run-detail.ts'
import { incidents, progress } from './schema.ts'
import { type MailDefaults, type SettingsStore, settingsStore } from './settings.ts'
import { wants } from './wants.ts'
import {
  type Incident,
  listIncidents,
  muteIncident,
  type Notifier,
  updateIncidents,
} from './watch/incidents.ts'
import { watchInstance } from './watch/instance-watch.ts'
import { createWatch } from './watch/watch.ts'
import type { Watched } from './watch/watched.ts'

const day = 24 * 3_600_000
const keepIncidentsMs = 90 * day

export interface Heartbeat {
  at: number
  /** Null after a 2xx response. */
  error: string | null
}

/** Watches the jobs and the instance, reports problems, and repeats them while they last. */
export interface Notices {
  settings: SettingsStore
  outbox: Outbox
  /** Open ones first, then the newest. */
  incidents(limit: number): Incident[]
  /** Mutes or unmutes an open incident; null if there is none, `over` if it is closed. */
  mute(incidentId: string, muted: boolean): Incident | null | 'over'
  /** The commit status at the remote. */
  commitStatuses: CommitStatuses
  /** The last heartbeat since boot. */
  heartbeat(): Heartbeat | null
  /** Sends a test through every channel; returns the number of messages. */
  test(): number
  /** Makes a waiting or given-up message due now; false if there is none. */
  retry(messageId: string): boolean
  /** Checks everything once, and queues the notices that are due. */
  watch(engine: Watched): Promise<void>
  /** Requests the heartbeat's address if one is set and the instance is healthy. */
  beat(engine: Watched): Promise<void>
}

export function openNotices(options: {
  db: NoticesDb
  seal: Seal
  clock: Clock
  log: Logger
  place: Place
  /** What the site is called: the sender of messages. */
  product: string
  mail: MailDefaults
  /** Sends the queued messages now. */
  sendNow: () => void
}): Notices {
  const { db, seal, clock, log, place, product, mail, sendNow } = options
  const settings = settingsStore({ db, seal, mail })
  const outbox = createOutbox({ db, clock, log, place, product, settings: settings.current })
  const commitStatuses = commitStatusWriter({ db, clock, log, place })
  const watches = new WeakMap<Watched, ReturnType<typeof createWatch>>()
  let lastBeat: Heartbeat | null = null
  outbox.takeBack()

  const watchOf = (engine: Watched) => {
    const watch = watches.get(engine) ?? createWatch(engine)
    watches.set(engine, watch)
    return watch
  }

  const watch = async (engine: Watched) => {
    if (!engine.ready()) return
    const now = clock.now()
    const ofJobs = watchOf(engine)(now, settings.current().failuresInARow)
    const findings = [...ofJobs, ...(await watchInstance(engine))]
    const notifies = new Map(engine.jobs().flatMap(job => (job.enabled ? [[job.id, job.notify]] : [])))
    const isWatched = ({ jobId, kind }: About) => {
      // Without a remote there is no recovery to report.
      if (jobId === '') return (kind !== 'sync' && kind !== 'conflict') || engine.sync.remote() !== null
      const notify = notifies.get(jobId)
      return notify !== undefined && wants(notify, kind)
    }
    const destination = ({ jobId }: About) => destinationOf(notifies.get(jobId) ?? ordinaryNotify)
    const detailOf = (run: Run | undefined) =>
      run ? runDetail(run, place.origin, id => engine.log(id)) : null
    const notifier: Notifier = {
      channels: about => outbox.channels(destination(about)),
      notify: (tx, { kind, incident, finding }, to) => {
        const more = { place, now, run: detailOf(finding?.run) }
        const content =
          kind === 'recovered'
            ? recoveredMessage(incident, place, now)
            : kind === 'opened'
              ? openedMessage(incident, more)
              : reminderMessage(incident, more)
        outbox.queue(tx, kind, { ...content, ...destination(incident) }, to)
      },
    }
    updateIncidents(db, { findings, isWatched, now, notifier })
    queueMissed(engine, { db, outbox, place, now })
    outbox.prune()
    db.delete(incidents)
      .where(and(isNotNull(incidents.closedAt), lt(incidents.closedAt, now - keepIncidentsMs)))
      .run()
    sendNow()
  }

  const beat = async (engine: Watched) => {
    const { heartbeatUrl } = settings.current()
    lastBeat = heartbeatUrl ? { at: clock.now(), error: await heartbeatFault(heartbeatUrl, engine) } : null
  }

  return {
    settings,
    outbox,
    incidents: limit => listIncidents(db, limit),
    mute: (id, muted) => muteIncident(db, id, { muted, now: clock.now() }),
    commitStatuses,
    heartbeat: () => lastBeat,
    watch,
    beat,
    test: () => {
      const content = testMessage(place, clock.now())
      const to = outbox.channels(content)
      outbox.queue(db, 'test', content, to)
      sendNow()
      return to.length
    },
    retry: messageId => {
      const due = outbox.again(messageId)
      sendNow()
      return due
    },
  }
}

/** Queues a message about the slots missed since the last round. */
function queueMissed(
  engine: Watched,
  {
    db,
    outbox,
    place,
    now,
  }: { db: NoticesDb; outbox: ReturnType<typeof createOutbox>; place: Place; now: number },
): void {
  const from = db.select().from(progress).get()?.missedReportedBefore
  const row = { id: 1, missedReportedBefore: now }
  db.transaction(tx => {
    tx.insert(progress).values(row).onConflictDoUpdate({ target: progress.id, set: row }).run()
    // Slots missed before the watch started are history, not news.
    if (from === undefined) return
    const missed = engine.ledger({
      outcome: 'missed',
      decidedFrom: from,
      decidedBefore: now,
      limit: 10_000,
    })
    const wanted = missed.flatMap(slot => {
      const notify = engine.job(slot.jobId)?.notify ?? ordinaryNotify
      return notify.missed ? [{ ...slot, to: destinationOf(notify) }] : []
    })
    for (const slots of Map.groupBy(wanted, ({ to }) => JSON.stringify(to)).values()) {
      const content = { ...missedMessage(slots, place, now), ...slots[0]?.to }
      outbox.queue(tx, 'missed', content, outbox.channels(content))
    }
  })
}

/** Requests the heartbeat's address if every check passes; returns the error, or null. */
async function heartbeatFault(url: string, engine: Watched): Promise<string | null> {
  try {
    for (const check of engine.checks.values()) await check()
    const status = await request(url)
    return status >= 200 && status < 300 ? null : `it was answered with ${status}`
  } catch (error) {
    return (error as Error).message
  }
}

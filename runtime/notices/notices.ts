import type { Database } from 'better-sqlite3'
import { and, isNotNull, lt } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { openTables } from '../../src/database.ts'
import { type RunningTask, startTask } from '../../src/kernel/tasks.ts'
import type { Logger } from '../../src/log.ts'
import type { Seal } from '../../src/seal.ts'
import type { Engine, Run } from '../contract.ts'
import { type CommitStatuses, commitStatusWriter } from './commit-status.ts'
import type { About } from './finding.ts'
import { type Incident, listIncidents, muteIncident, settleIncidents, type Teller } from './incidents.ts'
import { watchInstance } from './instance-watch.ts'
import {
  missedMessage,
  openedMessage,
  type Place,
  recoveredMessage,
  reminderMessage,
  testMessage,
} from './message.ts'
import { destinationOf, ordinaryNotify, wants } from './notify.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { runDetail } from './run-detail.ts'
import { incidents, progress } from './schema.ts'
import { type MailDefaults, type SettingsStore, settingsStore } from './settings.ts'
import { noticesTables } from './tables.ts'
import { createWatch } from './watch.ts'
import { request } from './webhook.ts'

const day = 24 * 3_600_000
const keepIncidentsMs = 90 * day

export interface Heartbeat {
  at: number
  /** Null when it was answered with 2xx. */
  error: string | null
}

/** Self-watch: sees what is wrong with the jobs and the instance, tells it, and reminds of it while it lasts. */
export interface Notices {
  settings: SettingsStore
  outbox: Outbox
  /** Open ones first, then the newest. */
  incidents(limit: number): Incident[]
  /** Ends or resumes the telling of an open incident; null when there is none, `over` when it is closed. */
  mute(incidentId: string, muted: boolean): Incident | null | 'over'
  /** What the remote is told of its commits. */
  commitStatuses: CommitStatuses
  /** Of the last heartbeat since boot. */
  heartbeat(): Heartbeat | null
  /** Sends a test to every channel that is set up; returns to how many. */
  test(): number
  /** Makes a message due now that waits or was given up; false when there is none. */
  retry(messageId: string): boolean
  /** Looks at everything once, and puts into the queue what is to be told. */
  watch(engine: Engine): Promise<void>
  /** Asks the heartbeat's address, when there is one and the engine works. */
  beat(engine: Engine): Promise<void>
  /** Does all of it again and again, until the stop that it returns. */
  start(engine: Engine): () => Promise<void>
}

export function openNotices(options: {
  sqlite: Database
  seal: Seal
  clock: Clock
  log: Logger
  place: Place
  mail: MailDefaults
}): Notices {
  const { sqlite, seal, clock, log, place, mail } = options
  const db = openTables(sqlite, 'notices', noticesTables)
  const settings = settingsStore({ db, seal, mail })
  const outbox = createOutbox({ db, clock, log, place, settings: settings.current })
  const commitStatuses = commitStatusWriter({ db, clock, log, place })
  const watches = new WeakMap<Engine, ReturnType<typeof createWatch>>()
  let sending: RunningTask | null = null
  let lastBeat: Heartbeat | null = null
  outbox.takeBack()

  const watchOf = (engine: Engine) => {
    const watch = watches.get(engine) ?? createWatch(engine)
    watches.set(engine, watch)
    return watch
  }

  const tellMissed = (engine: Engine, now: number) => {
    const from = db.select().from(progress).get()?.missedToldBefore
    const row = { id: 1, missedToldBefore: now }
    db.transaction(tx => {
      tx.insert(progress).values(row).onConflictDoUpdate({ target: progress.id, set: row }).run()
      // What was missed before anybody watched is history, not news.
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

  const watch = async (engine: Engine) => {
    if (!engine.ready()) return
    const now = clock.now()
    const ofJobs = watchOf(engine)(now, settings.current().failuresInARow)
    const findings = [...ofJobs, ...(await watchInstance(engine))]
    const notifies = new Map(engine.jobs().flatMap(job => (job.enabled ? [[job.id, job.notify]] : [])))
    const isWatched = ({ jobId, kind }: About) => {
      // Without a remote there is nothing that would work again.
      if (jobId === '') return (kind !== 'sync' && kind !== 'conflict') || engine.sync.remote() !== null
      const notify = notifies.get(jobId)
      return notify !== undefined && wants(notify, kind)
    }
    const destination = ({ jobId }: About) => destinationOf(notifies.get(jobId) ?? ordinaryNotify)
    const detailOf = (run: Run | undefined) =>
      run ? runDetail(run, place.origin, id => engine.log(id)) : null
    const teller: Teller = {
      channels: about => outbox.channels(destination(about)),
      tell: (tx, { kind, incident, finding }, to) => {
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
    settleIncidents(db, { findings, isWatched, now, teller })
    tellMissed(engine, now)
    outbox.prune()
    db.delete(incidents)
      .where(and(isNotNull(incidents.closedAt), lt(incidents.closedAt, now - keepIncidentsMs)))
      .run()
    sending?.nudge()
  }

  const beat = async (engine: Engine) => {
    const { heartbeatUrl } = settings.current()
    if (!heartbeatUrl) {
      lastBeat = null
      return
    }
    const at = clock.now()
    try {
      for (const check of engine.checks.values()) await check()
      const status = await request(heartbeatUrl)
      lastBeat = { at, error: status >= 200 && status < 300 ? null : `it was answered with ${status}` }
    } catch (error) {
      lastBeat = { at, error: (error as Error).message }
    }
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
      sending?.nudge()
      return to.length
    },
    retry: messageId => {
      const due = outbox.again(messageId)
      sending?.nudge()
      return due
    },
    start: engine => {
      const tasks = [
        { name: 'watch-jobs', everyMs: 15_000, run: () => watch(engine) },
        { name: 'send-heartbeat', everyMs: 60_000, run: () => beat(engine) },
        { name: 'write-commit-status', everyMs: 5000, run: () => commitStatuses.round(engine) },
      ].map(task => startTask(task, { clock, log }))
      sending = startTask({ name: 'send-notices', everyMs: 10_000, run: outbox.flush }, { clock, log })
      const running = [...tasks, sending]
      return async () => {
        await Promise.all(running.map(task => task.stop()))
      }
    },
  }
}

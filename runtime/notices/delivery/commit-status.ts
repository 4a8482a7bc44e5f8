import type { Clock } from '../../../src/clock.ts'
import { afterFailure } from '../../../src/delivery/failed-attempt.ts'
import type { Logger } from '../../../src/log.ts'
import type { CommitState } from '../commit-state.ts'
import type { Place } from '../messages/message.ts'
import type { NoticesDb } from '../notices-db.ts'
import { commitStatuses } from '../schema.ts'
import type { Watched } from '../watch/watched.ts'
import { type Forge, findForge, writeStatus } from './forge.ts'

export type CommitStatusRow = typeof commitStatuses.$inferSelect

export interface CommitStatuses {
  /** Writes the status of the remote's head once per change, and retries failures. */
  round(engine: Watched): Promise<void>
  /** The last status; null before the first round, or after the remote changed. */
  last(): CommitStatusRow | null
}

/** The state of a commit in this instance. */
export interface Verdict {
  state: CommitState
  description: string
}

/**
 * Reports at the remote, as commit statuses, whether commits are live here. Does nothing for a remote other than
 * GitHub and GitLab, and gives up on a commit if the token may not write its status.
 */
export function commitStatusWriter(options: {
  db: NoticesDb
  clock: Clock
  log: Logger
  place: Place
}): CommitStatuses {
  const { db, clock, log, place } = options
  const forges = new Map<string, Forge | null>()
  let known: Watched | null = null
  const last = (): CommitStatusRow | null => db.select().from(commitStatuses).get() ?? null

  const save = (row: Omit<CommitStatusRow, 'id'>) => {
    const values = { id: 1, ...row }
    db.insert(commitStatuses)
      .values(values)
      .onConflictDoUpdate({ target: commitStatuses.id, set: values })
      .run()
  }

  const forgeOf = async (url: string): Promise<Forge | null> => {
    const known = forges.get(url)
    if (known !== undefined) return known
    const forge = await findForge(url)
    forges.set(url, forge)
    return forge
  }

  return {
    last: () => {
      const row = last()
      return row && known?.sync.remote()?.url === row.url ? row : null
    },
    round: async engine => {
      known = engine
      const remote = engine.sync.remote()
      const token = remote && engine.sync.token()
      if (!remote || !token) return
      const found = verdictOf(engine)
      if (!found) return
      const { url } = remote
      const now = clock.now()
      const before = last()
      const isSame =
        before?.url === url &&
        before.commit === found.commit &&
        before.state === found.state &&
        before.description === found.description
      // If the clock was set back since, the next attempt would wait until it has caught up.
      if (isSame && (before.nextAt === null || (before.nextAt > now && before.at <= now))) return
      // A local edit that does not load does not change the status of a commit that was live.
      if (before?.url === url && before.commit === found.commit && isFinal(before) && !isSame) return
      const attempts = isSame ? before.attempts + 1 : 1
      const row = { url, ...found, at: now, attempts }
      try {
        const forge = await forgeOf(url)
        if (!forge) return
        const context = `longhouse/${place.name}`
        await writeStatus(forge, token, { ...found, context, targetUrl: place.origin })
        save({ ...row, nextAt: null, error: null })
      } catch (error) {
        const after = afterFailure(error, attempts, now)
        log.warn({ commit: found.commit, reason: after.error }, 'commit status was not written')
        save({ ...row, nextAt: after.status === 'queued' ? after.nextAt : null, error: after.error })
      }
    },
  }
}

/** A commit that was live once keeps that status. */
function isFinal({ state, error }: CommitStatusRow): boolean {
  return state === 'success' && error === null
}

/** The remote's commit and its state; null while it is being loaded. */
function verdictOf(engine: Watched): ({ commit: string } & Verdict) | null {
  const remote = engine.sync.remote()
  const manifest = engine.manifest()
  if (!remote || remote.syncing || manifest.status === 'loading') return null
  if (remote.conflict) {
    const description = 'Conflicts with changes made on the instance; choose a side there.'
    return { commit: remote.conflict.theirs, state: 'failure', description }
  }
  if (remote.held) {
    const { theirs, removes, of } = remote.held
    return {
      commit: theirs,
      state: 'pending',
      description: `Would remove ${removes.length} of ${of} jobs; confirm it on the instance.`,
    }
  }
  const { last: commit } = remote
  if (commit === null) return null
  if (manifest.status === 'ok') {
    const jobs = engine.jobs().length
    return { commit, state: 'success', description: `Live: ${jobs} ${jobs === 1 ? 'job' : 'jobs'}.` }
  }
  if (manifest.waitingFor === 'packages')
    return { commit, state: 'pending', description: 'Its packages are being installed.' }
  const [error] = manifest.errors
  if (!error) return null
  const where = [error.file, error.file && error.line].filter(part => part != null).join(':')
  const description = `${where ? `${where}: ` : ''}${error.message}`.split('\n')[0] ?? ''
  return { commit, state: manifest.waitingFor === null ? 'failure' : 'pending', description }
}

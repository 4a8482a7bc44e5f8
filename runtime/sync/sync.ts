import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { serial } from '../../src/concurrency.ts'
import { type RunningTask, startTask } from '../../src/kernel/tasks.ts'
import type { Logger } from '../../src/log.ts'
import { journalPath } from '../git/journal.ts'
import type { SyncService } from './contract.ts'
import { createOwnCommits } from './own-commits.ts'
import { type RoundOptions, syncRound } from './round.ts'
import { type Choice, nextSyncMs } from './round-decision.ts'
import { syncPrograms } from './sync-program.ts'
import { signatureFits } from './webhook.ts'

/** Sync, with the parts of its lifecycle for its own plugin. */
export interface Sync extends SyncService {
  /** Announces a commit made here. */
  committed(commit: string): void
  /** Finishes a sync that was killed. Call it before the first load. */
  recover(): Promise<void>
  /** Starts polling. */
  start(): void
  stop(): Promise<void>
}

export interface SyncOptions extends RoundOptions {
  cacheDir: string
  log: Logger
}

export function createSync(options: SyncOptions): Sync {
  const { dir, scratchDir, store, clock, log, limitMs } = options
  const inOrder = serial()
  const programs = syncPrograms(options)
  const ownCommits = createOwnCommits()
  const roundOptions = {
    ...options,
    load: () => ownCommits.whileLoading(options.load),
    onTarget: ownCommits.take,
  }
  let syncing = false
  let nextSyncAt: number | null = null
  let poll: RunningTask | null = null

  const delayMs = () => nextSyncMs(store.current()?.failures ?? 0)

  const round = async (choice: Choice): Promise<void> => {
    const remote = store.current()
    if (!remote) return
    syncing = true
    try {
      await programs.use(program => syncRound(roundOptions, program, remote, choice))
    } catch (error) {
      if (programs.stopped()) return
      const failures = remote.failures + 1
      const message = (error as Error).message
      log.warn({ reason: message, failures }, 'sync failed')
      store.update({ failures, error: message })
    } finally {
      syncing = false
      nextSyncAt = clock.now() + delayMs()
    }
  }

  return {
    remote: () => {
      const remote = store.current()
      return remote && { ...remote, syncing, nextSyncAt }
    },
    token: store.token,
    webhookSecret: store.webhookSecret,
    verify: address =>
      programs.use(program => program.ask({ op: 'verify', remote: { ...address, limitMs } })),
    connect: connection =>
      inOrder(async () => {
        const secret = store.connect(connection)
        await round({})
        return secret
      }),
    disconnect: () =>
      inOrder(async () => {
        store.disconnect()
        nextSyncAt = null
      }),
    sync: (choice = {}) => inOrder(() => round(choice)),
    resolve: ({ by, ...pick }) => inOrder(() => round({ pick, ...(by ? { by } : {}) })),
    webhook: (body, signature) => {
      const secret = store.webhookSecret()
      if (secret === null || !signatureFits(secret, body, signature)) return false
      poll?.nudge()
      return true
    },
    committed: commit => {
      if (ownCommits.callsForSync(commit)) poll?.nudge()
    },
    recover: async () => {
      rmSync(scratchDir, { recursive: true, force: true })
      if (!existsSync(journalPath(dir)) && !existsSync(join(dir, '.git/index.lock'))) return
      await options
        .exclusive(() => programs.use(program => program.ask({ op: 'recover' })))
        .catch(error => log.error({ err: error }, 'an interrupted sync could not be finished'))
    },
    start: () => {
      if (programs.stopped()) return
      const task = {
        name: 'sync',
        get everyMs() {
          return delayMs()
        },
        run: () => inOrder(() => round({})),
      }
      poll = startTask(task, { clock, log })
    },
    stop: async () => {
      await programs.stop()
      await poll?.stop()
      await inOrder(async () => {})
    },
  }
}

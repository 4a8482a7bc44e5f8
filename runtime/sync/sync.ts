import { createHmac, timingSafeEqual } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startTask } from '../../src/kernel/tasks.ts'
import type { Logger } from '../../src/log.ts'
import { journalPath } from '../git/journal.ts'
import type { SyncService } from './contract.ts'
import { type Choice, createRound, type RoundOptions } from './round.ts'
import { type SyncProgram, startSyncProgram } from './sync-program.ts'

const pollMs = 5 * 60_000
const firstRetryMs = 30_000
const longestRetryMs = 60 * 60_000

/** Sync with the parts of its life that only its own plugin sees. */
export interface Sync extends SyncService {
  /** Something was committed here. */
  committed(commit: string): void
  /** Finishes what was killed; to be called before the files are looked at. */
  recover(): Promise<void>
  /** Begins to poll. */
  start(): void
  stop(): Promise<void>
}

export interface SyncOptions extends RoundOptions {
  cacheDir: string
  log: Logger
}

export function createSync(options: SyncOptions): Sync {
  const { dir, cacheDir, scratchDir, store, clock, log, limitMs } = options
  let turn: Promise<unknown> = Promise.resolve()
  const programs = new Set<SyncProgram>()
  let stopped = false
  let syncing = false
  let nextSyncAt: number | null = null
  let lastCommit: string | null = null
  /** True while a sync itself has commits made, which it is about to look at. */
  let taking = false
  let poll: ReturnType<typeof startTask> | null = null

  const bringTogether = createRound({
    ...options,
    load: async () => {
      taking = true
      await options.load().finally(() => {
        taking = false
      })
    },
    onTarget: commit => {
      lastCommit = commit
    },
  })

  /** One at a time, in the order of asking. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }
  const withProgram = async <T>(work: (program: SyncProgram) => Promise<T>): Promise<T> => {
    if (stopped) throw new Error('the instance is stopping')
    const program = startSyncProgram(dir, { cacheDir, scratchDir })
    programs.add(program)
    try {
      return await work(program)
    } finally {
      programs.delete(program)
      await program.end()
    }
  }

  const round = async (choice: Choice): Promise<void> => {
    const remote = store.current()
    if (!remote) return
    syncing = true
    try {
      await withProgram(program => bringTogether(program, remote, choice))
    } catch (error) {
      if (stopped) return
      const failures = remote.failures + 1
      const message = (error as Error).message
      log.warn({ reason: message, failures }, 'sync failed')
      store.update({ failures, error: message })
    } finally {
      syncing = false
      nextSyncAt = clock.now() + delay()
    }
  }

  const delay = (): number => {
    const failures = store.current()?.failures ?? 0
    return failures === 0 ? pollMs : Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs)
  }

  return {
    remote: () => {
      const remote = store.current()
      return remote && { ...remote, syncing, nextSyncAt }
    },
    token: store.token,
    webhookSecret: store.webhookSecret,
    verify: address => withProgram(program => program.ask({ op: 'verify', remote: { ...address, limitMs } })),
    connect: connection =>
      inTurn(async () => {
        const secret = store.connect(connection)
        await round({})
        return secret
      }),
    disconnect: () =>
      inTurn(async () => {
        store.disconnect()
        nextSyncAt = null
      }),
    sync: (choice = {}) => inTurn(() => round(choice)),
    resolve: ({ by, ...pick }) => inTurn(() => round({ pick, ...(by ? { by } : {}) })),
    webhook: (body, signature) => {
      const secret = store.webhookSecret()
      if (secret === null) return false
      const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
      const [a, b] = [Buffer.from(signature), Buffer.from(expected)]
      if (a.length !== b.length || !timingSafeEqual(a, b)) return false
      poll?.nudge()
      return true
    },
    committed: commit => {
      if (commit === lastCommit) return
      lastCommit = commit
      if (!taking) poll?.nudge()
    },
    recover: async () => {
      rmSync(scratchDir, { recursive: true, force: true })
      if (!existsSync(journalPath(dir)) && !existsSync(join(dir, '.git/index.lock'))) return
      await options
        .exclusive(() => withProgram(program => program.ask({ op: 'recover' })))
        .catch(error => log.error({ err: error }, 'an interrupted sync could not be finished'))
    },
    start: () => {
      if (stopped) return
      const task = {
        name: 'sync',
        get everyMs() {
          return delay()
        },
        run: () => inTurn(() => round({})),
      }
      poll = startTask(task, { clock, log })
    },
    stop: async () => {
      stopped = true
      await Promise.all([...programs].map(program => program.end()))
      await poll?.stop()
      await turn
    },
  }
}

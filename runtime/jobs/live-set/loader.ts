import type { Author } from '../../git/authors.ts'
import type { RepoService } from '../../repo/contract.ts'
import type { ManifestState } from '../contract.ts'
import { createCommits } from './commits.ts'
import { createLoadQueue } from './load-queue.ts'
import { type LoadRoundOptions, LoadRounds } from './load-round.ts'
import { manifestState } from './load-state.ts'
import type { Tree } from './tree.ts'

export type { LoadLimits } from './load-round.ts'

/** Loads the files of the jobs repo, one round at a time. */
export interface Loader {
  state(): ManifestState
  /**
   * Looks at the files. If they differ from what was last looked at, makes them live or refuses them; with `again`,
   * also if they do not. Calls during a round share one round after it.
   */
  load(options?: { again?: boolean }): Promise<ManifestState>
  /** Sets the message and adds the author for the next commit. */
  describeChange(message: string, author: Author): void
  /** The message for the next commit; '' for none. */
  pendingMessage(): string
  /** Lets the set of jobs that is held back go live, if the files still register the same. */
  confirm(): Promise<ManifestState>
  /** Does something to the files while nothing is loaded or committed, and loads them after it. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when no round is in progress. */
  idle(): Promise<void>
  /** The files as they were last seen. */
  tree(): Tree | null
}

export function createLoader(
  options: LoadRoundOptions & {
    repo: Pick<RepoService, 'ensure' | 'stage' | 'commit' | 'folderFault'>
    /** Called after each round, when nothing is being built. */
    afterRound: () => Promise<void>
  },
): Loader {
  const { live, packages, log, repo, afterRound } = options
  const commits = createCommits(repo, log)
  const rounds = new LoadRounds(options, commits)
  const queue = createLoadQueue(async again => {
    try {
      await rounds.run(again)
      await afterRound()
    } catch (error) {
      log.error({ err: error }, 'loading the manifest failed')
      rounds.fail(error as Error)
    }
  })
  const state = () => manifestState(rounds.state, live.current(), packages.state)
  const load = async ({ again = false } = {}): Promise<ManifestState> => {
    await queue.load(again)
    return state()
  }

  return {
    state,
    load,
    describeChange: commits.describeChange,
    pendingMessage: commits.pendingMessage,
    confirm: async () => {
      if (rounds.state.unconfirmed === null) return state()
      rounds.confirm()
      return load({ again: true })
    },
    exclusive: async work => {
      try {
        return await queue.exclusive(work)
      } finally {
        await load()
      }
    },
    idle: queue.idle,
    tree: () => rounds.tree,
  }
}

import type { Logger } from '../../../src/log.ts'
import { type Author, sameAuthor } from '../../git/authors.ts'
import type { RepoService } from '../../repo/contract.ts'

/**
 * Commits of the files, in two halves: between them the loader checks that what was staged is what was compiled. A
 * commit that cannot be made does not keep a good set of jobs from running; its runs then name no commit.
 */
export interface Commits {
  /** Sets the message of the next commit, and adds an author: everyone who had a part in it is named. */
  describeChange(subject: string, author: Author): void
  /** The message of the next commit; '' for none. */
  pendingMessage(): string
  /** Stages the files; returns what is in the way, or null. */
  stage(): Promise<string | null>
  /**
   * Commits what is staged; null when that is impossible, or when staging met an obstacle. `note` goes below the list of files in
   * the message.
   */
  commit(obstacle: string | null, note?: string): Promise<string | null>
}

interface Description {
  subject: string
  authors: readonly Author[]
}

export function createCommits(repo: Pick<RepoService, 'ensure' | 'stage' | 'commit'>, log: Logger): Commits {
  let pending: Description = { subject: '', authors: [] }
  /** The description of what is staged: changes after that are described by the next commit. */
  let staged = pending
  let obstacle: string | null = null
  const obstructed = (reason: string) => {
    if (obstacle !== reason) log.warn({ reason }, 'changes are live but not committed')
    obstacle = reason
  }
  return {
    describeChange: (subject, author) => {
      const others = pending.authors.filter(each => !sameAuthor(each, author))
      pending = { subject, authors: [author, ...others] }
    },
    pendingMessage: () => pending.subject,
    stage: async () => {
      try {
        await repo.ensure()
        staged = pending
        return await repo.stage()
      } catch (error) {
        return (error as Error).message
      }
    },
    commit: async (inTheWay, note) => {
      if (inTheWay !== null) {
        obstructed(inTheWay)
        return null
      }
      try {
        const commit = await repo.commit({ ...staged, note })
        pending = {
          subject: pending.subject === staged.subject ? '' : pending.subject,
          authors: pending.authors.filter(each => !staged.authors.includes(each)),
        }
        obstacle = null
        return commit
      } catch (error) {
        obstructed((error as Error).message)
        return null
      }
    },
  }
}

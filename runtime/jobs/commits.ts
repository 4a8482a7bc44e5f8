import type { Logger } from '../../src/log.ts'
import type { Repo } from '../repo/repo.ts'

/**
 * The two halves of a commit, between which is checked that what was taken is what was compiled. A commit that cannot
 * be made does not keep a good set from running; its runs then name no commit.
 */
export interface Commits {
  /** The words of whoever made the change, for the next commit that is made. */
  say(subject: string): void
  /** The words that wait for their commit; '' for none. */
  said(): string
  /** False when something is in the way. */
  stage(): Promise<boolean>
  /** Null when it could not be made. `note` goes below what its message says of the files. */
  commit(note?: string): Promise<string | null>
}

export function createCommits(repo: Repo, log: Logger): Commits {
  let subject = ''
  let obstacle: string | null = null
  const refuse = (reason: string) => {
    if (obstacle !== reason) log.warn({ reason }, 'changes are live but not committed')
    obstacle = reason
  }
  return {
    say: words => {
      subject = words
    },
    said: () => subject,
    stage: async () => {
      try {
        await repo.init()
        const refused = await repo.stage()
        if (refused) refuse(refused)
        return refused === null
      } catch (error) {
        refuse((error as Error).message)
        return false
      }
    },
    commit: async note => {
      try {
        const commit = await repo.commit({ subject, note })
        subject = ''
        obstacle = null
        return commit
      } catch (error) {
        refuse((error as Error).message)
        return null
      }
    },
  }
}

import type { Logger } from '../../../src/log.ts'
import { type Author, sameAuthor } from '../../git/authors.ts'
import type { RepoService } from '../../repo/contract.ts'

/**
 * The two halves of a commit, between which is checked that what was taken is what was compiled. A commit that cannot
 * be made does not keep a good set from running; its runs then name no commit.
 */
export interface Commits {
  /** The words of whoever makes a change, for the next commit that is made: all who had a part in it are named. */
  say(subject: string, author: Author): void
  /** The words that wait for their commit; '' for none. */
  said(): string
  /** False when something is in the way. */
  stage(): Promise<boolean>
  /** Null when it could not be made. `note` goes below what its message says of the files. */
  commit(note?: string): Promise<string | null>
}

export function createCommits(repo: Pick<RepoService, 'ensure' | 'stage' | 'commit'>, log: Logger): Commits {
  let subject = ''
  let authors: Author[] = []
  /** What was said of that which is staged: who changes something after that is named in the next commit. */
  let taken: { subject: string; authors: readonly Author[] } = { subject, authors }
  let obstacle: string | null = null
  const refuse = (reason: string) => {
    if (obstacle !== reason) log.warn({ reason }, 'changes are live but not committed')
    obstacle = reason
  }
  return {
    say: (words, author) => {
      subject = words
      authors = [author, ...authors.filter(each => !sameAuthor(each, author))]
    },
    said: () => subject,
    stage: async () => {
      try {
        await repo.ensure()
        taken = { subject, authors }
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
        const commit = await repo.commit({ ...taken, note })
        if (subject === taken.subject) subject = ''
        authors = authors.filter(each => !taken.authors.includes(each))
        obstacle = null
        return commit
      } catch (error) {
        refuse((error as Error).message)
        return null
      }
    },
  }
}

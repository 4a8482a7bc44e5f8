import type { Engine, ManifestState } from '../contract.ts'
import type { Packages } from '../packages/packages.ts'
import { repoObstacle, unknownCommit } from '../problems.ts'
import type { Author } from '../repo/authors.ts'
import type { History } from '../repo/history.ts'
import type { Repo } from '../repo/repo.ts'
import type { Loader } from './loader.ts'

/** Changes of the files that somebody asks for, with their words in the commit. */
export interface Edits {
  edit: Engine['edit']
  waitingMessage: Engine['waitingMessage']
  changing: Engine['changing']
  /** Makes the files those of a commit, on top of all others. Throws `unknown-commit` or `repo-obstacle`. */
  revert(commit: string, by: Author): Promise<ManifestState>
}

/** What goes into the commit of a change. */
export interface EditWords {
  message: string
  by: Author
}

export function createEdits(options: {
  loader: Loader
  repo: Repo
  history: History
  packages: Packages
}): Edits {
  const { loader, repo, history, packages } = options
  let changes = 0
  return {
    edit: async ({ message, by }, change) => {
      change()
      loader.say(message || loader.said(), by)
      packages.glance()
      changes++
      try {
        return await loader.load({ again: true })
      } finally {
        changes--
      }
    },
    waitingMessage: () => loader.said(),
    changing: () => changes > 0,
    revert: async (commit, by) => {
      const found = await history.show(commit)
      if (!found) throw unknownCommit(`The jobs repo has no commit ${commit}.`)
      const name = commit.slice(0, 7)
      await loader.exclusive(async () => {
        const obstacle = await repo.stage()
        if (obstacle) throw repoObstacle(`Nothing was changed: ${obstacle}.`)
        await repo.commit({ subject: `What was not live before the return to ${name}` })
        const { inTheWay } = await history.restore(commit)
        if (inTheWay !== null)
          throw repoObstacle(
            `Nothing was changed: ${inTheWay} is there, and in no commit, as git ignores it or a part of it.`,
          )
        // Of the commit and not of the files: it also holds what is not in the files, as submodules.
        const late = await repo.stage({ like: commit })
        if (late) throw repoObstacle(`The files are what they were, and not committed: ${late}.`)
        await repo.commit({ subject: `Return to ${name}: ${found.message.split('\n')[0]}`, authors: [by] })
      })
      return loader.load({ again: true })
    },
  }
}

import type { Engine, ManifestState } from '../contract.ts'
import type { Packages } from '../packages/packages.ts'
import { repoObstacle, unknownCommit } from '../problems.ts'
import type { History } from '../repo/history.ts'
import type { Repo } from '../repo/repo.ts'
import type { Loader } from './loader.ts'

/** Changes of the files that somebody asks for, with their words in the commit. */
export interface Edits {
  edit: Engine['edit']
  waitingMessage: Engine['waitingMessage']
  /** Makes the files those of a commit, on top of all others. Throws `unknown-commit` or `repo-obstacle`. */
  revert(commit: string): Promise<ManifestState>
}

export function createEdits(options: {
  loader: Loader
  repo: Repo
  history: History
  packages: Packages
}): Edits {
  const { loader, repo, history, packages } = options
  return {
    edit: async (message, change) => {
      const waiting = loader.said()
      loader.say(message || waiting)
      try {
        change()
      } catch (error) {
        loader.say(waiting)
        throw error
      }
      packages.glance()
      const state = await loader.load({ again: true })
      if (state.status === 'ok') loader.say('')
      return state
    },
    waitingMessage: () => loader.said(),
    revert: async commit => {
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
        loader.say(`Return to ${name}: ${found.message.split('\n')[0]}`)
      })
      return loader.load({ again: true })
    },
  }
}

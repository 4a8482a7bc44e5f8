import type { Packages } from '../../packages/contract.ts'
import { fileChanged, noEdit, type RepoService, repoObstacle, unknownCommit } from '../../repo/contract.ts'
import type { Room } from '../../volume/contract.ts'
import type { Edits } from '../contract.ts'
import type { Loader } from './loader.ts'

/** Changes of the files that people make on pages and by the API: see `Edits` in the contract. */
export function createEdits(options: {
  loader: Loader
  repo: Pick<RepoService, 'stage' | 'commit' | 'history'>
  packages: Pick<Packages, 'cancelStale'>
  room: Pick<Room, 'require'>
}): Omit<Edits, 'check'> {
  const { loader, repo, packages, room } = options
  const { history } = repo
  let changes = 0
  return {
    edit: async ({ message, by, frees = false }, change) => {
      if (!frees) room.require('Nothing was saved.')
      change()
      loader.describeChange(message || loader.pendingMessage(), by)
      packages.cancelStale()
      changes++
      try {
        return await loader.load({ again: true })
      } finally {
        changes--
      }
    },
    waitingMessage: () => loader.pendingMessage(),
    changing: () => changes > 0,
    discard: async (path, hash) => {
      await loader.exclusive(async () => {
        const discarded = await history.discard(path, hash)
        if (discarded.done) return
        if (discarded.why === 'none') throw noEdit(`"${path}" is as in the last commit.`)
        if (discarded.why === 'changed')
          throw fileChanged(`"${path}" was edited meanwhile, so nothing was discarded. Look at it again.`)
        throw repoObstacle(`Nothing was discarded: ${discarded.obstacle}.`)
      })
      return loader.load({ again: true })
    },
    revert: async (commit, by) => {
      room.require('Nothing was changed.')
      const found = await history.show(commit)
      if (!found) throw unknownCommit(`The jobs repo has no commit ${commit}.`)
      const name = commit.slice(0, 7)
      await loader.exclusive(async () => {
        const obstacle = await repo.stage()
        if (obstacle) throw repoObstacle(`Nothing was changed: ${obstacle}.`)
        await repo.commit({ subject: `Uncommitted changes before the revert to ${name}` })
        const { inTheWay } = await history.restore(commit)
        if (inTheWay !== null)
          throw repoObstacle(
            `Nothing was changed: ${inTheWay} is in the way. Git ignores it, so it is in no commit. Move or delete it.`,
          )
        // Stage from the commit, not from the files: it also holds what is not in the files, such as submodules.
        const late = await repo.stage({ like: commit })
        if (late) throw repoObstacle(`The files were reverted but not committed: ${late}.`)
        await repo.commit({ subject: `Revert to ${name}: ${found.message.split('\n')[0]}`, authors: [by] })
      })
      return loader.load({ again: true })
    },
  }
}

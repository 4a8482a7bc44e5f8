import git from 'isomorphic-git'
import { carefulFs as fs } from '../objects/careful-fs.ts'
import { readIndex } from '../objects/index-file.ts'
import { obstacleIn } from './obstacle.ts'

/** Why the files of a repo cannot be compared with its commits; null if they can. */
export function tooMuchIn(dir: string): Promise<string | null> {
  return obstacleIn(dir, {
    isIgnored: filepath => git.isIgnored({ fs, dir, filepath }),
    tracked: async () => readIndex(dir).entries.map(({ path }) => path),
  })
}

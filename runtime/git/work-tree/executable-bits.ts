import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync } from 'node:fs'
import { correctConfig, isUncorrected } from '../objects/git-config.ts'
import { isUnsafeName } from '../objects/git-names.ts'
import { lockIndex, readIndex, unlockIndex, writeIndex } from '../objects/index-file.ts'
import { isExecutable, isFolder, type Objects } from '../objects/objects.ts'
import { placeOf } from '../objects/path-bytes.ts'

/**
 * Turns executable bits on in a repo that ignored them. An older version pulled a change of the bit without setting
 * it on the file: as an edit, that would be committed and pushed. So executable files of HEAD first become executable
 * in the work tree and in the index. A file that is executable only here stays so.
 */
export async function countExecutableBits(
  dir: string,
  { objects, tree, lockWords }: { objects: Objects; tree: string | null; lockWords: string },
): Promise<void> {
  if (!isUncorrected(dir)) return
  const given = new Map<string, string>()
  const walk = async (tree: string | null, prefix: string): Promise<void> => {
    for (const item of await objects.tree(tree)) {
      if (isUnsafeName(item.name) || item.name === 'node_modules') continue
      const path = prefix + item.name
      const place = placeOf(dir, path)
      if (isFolder(item)) {
        if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) await walk(item.oid, `${path}/`)
      } else if (isExecutable(item) && makeExecutable(place)) given.set(path, item.oid)
    }
  }
  await walk(tree, '')
  if (given.size > 0 && lockIndex(dir, lockWords)) {
    try {
      const entries = readIndex(dir).entries.map(each =>
        each.stage === 0 && given.get(each.path) === each.oid ? { ...each, mode: '100755' } : each,
      )
      writeIndex(dir, entries)
    } finally {
      unlockIndex(dir, lockWords)
    }
  }
  correctConfig(dir)
}

/** Returns false for anything but a file. Follows no links, and does not wait for pipes. */
function makeExecutable(place: string | Buffer): boolean {
  let fd: number
  try {
    fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const found = fstatSync(fd)
    if (!found.isFile()) return false
    if ((found.mode & 0o100) === 0) fchmodSync(fd, (found.mode & 0o777) | 0o111)
    return true
  } finally {
    closeSync(fd)
  }
}

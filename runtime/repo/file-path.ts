import { lstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { defineProblem } from '../../src/http/problem.ts'
import { isDotGit } from '../git/objects/git-names.ts'
import { uneditable } from './contract.ts'

export const refusedPath = defineProblem('refused-path', 422, 'Not a path of a file that can be edited here')

const longestPath = 300

/** Throws for a path where no file may be, with the reason. A job may still change the place right afterwards. */
export type Accept = (path: string) => void

/** Checks the names of a path in the repo, and what is in its place. */
export function acceptIn(jobsDir: string): Accept {
  return path => {
    checkPath(path)
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      const found = lstatSync(join(jobsDir, folder), { throwIfNoEntry: false })
      if (found && !found.isDirectory()) {
        throw refusedPath(
          `"${folder}" is ${found.isSymbolicLink() ? 'a link' : 'a file'}, not a folder of the repo.`,
        )
      }
    }
    const found = lstatSync(join(jobsDir, path), { throwIfNoEntry: false })
    if (found?.isDirectory()) throw refusedPath(`"${path}" is a folder; name a file in it.`)
    if (found && !found.isFile()) throw uneditable(`"${path}" is a link or a device, not a file.`)
  }
}

/** Git refuses names that it would treat as its own folder, on any system; packages are not edited by hand. */
export const isForbidden = (name: string) => isDotGit(name) || name.toLowerCase() === 'node_modules'

/** Checks the names of a path in the repo alone. */
export function checkPath(path: string): void {
  const refuse = (why: string) => refusedPath(`"${path.slice(0, longestPath)}" ${why}.`)
  if (path === '' || path.length > longestPath) {
    throw refuse(`must be a path of 1 to ${longestPath} characters, such as jobs/report.ts`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) throw refuse('must not contain backslashes or control characters')
  if (!path.isWellFormed()) throw refuse('must be valid UTF-8')
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    throw refuse('must be relative to the repo, with plain names between its slashes')
  }
  if (parts.some(part => part !== part.trim() || Buffer.byteLength(part) > 255)) {
    throw refuse('has a name that is too long, or begins or ends with a space')
  }
  const hidden = parts.find(isForbidden)
  if (hidden === undefined) return
  if (/^(\.git|node_modules)$/i.test(hidden)) throw refuse(`is in ${hidden}, which cannot be edited here`)
  throw refuse(`contains ${JSON.stringify(hidden)}, which git treats as .git on some systems`)
}

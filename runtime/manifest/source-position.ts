import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { programRoot } from '../../src/root.ts'
import { packagesFolder } from '../isolation/reach.ts'
import { packagesOf } from '../modules/packages-of.ts'

export interface SourcePosition {
  /** Relative to the repo. */
  file: string
  line: number
  column: number
}

/** The first place in a stack that is in the repo's own files and not in its packages. */
export function firstPosition(stack: string, repo: string): SourcePosition | null {
  for (const line of stack.split('\n')) {
    const start = line.indexOf(`${repo}/`)
    if (start < 0) continue
    const match = /^(.+?):(\d+):(\d+)/.exec(line.slice(start + repo.length + 1))
    if (match?.[1] && !match[1].startsWith('node_modules/')) {
      return { file: match[1], line: Number(match[2]), column: Number(match[3]) }
    }
  }
  return null
}

/** A file's path relative to the repo; null if it is elsewhere. */
export function inRepo(file: string, repo: string): string | null {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return path.startsWith(`${repo}/`) ? path.slice(repo.length + 1) : null
}

/**
 * The text with paths as they are in a clone: those of the jobs repo relative to it, packages in its `node_modules`, the
 * temporary folder as `$TMPDIR`, Node as `node`. Without the frames of Node and of this program. Where the instance keeps
 * its files is of no use to the customer.
 */
export function inClone(text: string, repo: string, temporary = tmpdir()): string {
  const lines = packagesInRepo(text, repo)
    .split('\n')
    .filter(line => !isFrame.test(line) || line.includes(`${repo}/`))
    .filter(line => !line.startsWith(`- ${programRoot()}/`))
  return [
    { path: process.execPath, words: 'node' },
    { path: temporary, words: '$TMPDIR' },
    { path: repo, words: '.' },
    { path: dirname(repo), words: '..' },
  ].reduce((words, place) => withPath(words, place.path, place.words), lines.join('\n'))
}

const isFrame = /^\s+at .*:\d+\)?$/

/** Whole paths only: an address such as `https://example.com/data/jobs/1` stays. What `.` holds is named without it. */
function withPath(text: string, path: string, words: string): string {
  if (path === '/' || !text.includes(path)) return text
  const url = pathToFileURL(path).href
  const either = [`file://${path}`, url, path].map(each => RegExp.escape(each)).join('|')
  return text.replace(
    new RegExp(`(?<![\\w.~%@/-])(?:${either})(/(?=\\S)|(?![\\w.-]))`, 'g'),
    (_, slash: string) => (slash === '/' ? (words === '.' ? '' : `${words}/`) : words),
  )
}

/** The text with packages where they lie in a clone, in `node_modules` of the repo, and not where they are kept here. */
function packagesInRepo(text: string, repo: string): string {
  const kept = dirname(packagesOf(repo) ?? join(dirname(repo), packagesFolder, 'any'))
  const [before, ...parts] = text.split(`${kept}/`)
  return (
    before +
    parts
      .map(part =>
        installation.test(part) ? `${repo}/${part.replace(installation, '')}` : `${kept}/${part}`,
      )
      .join('')
  )
}

const installation = /^[0-9a-f]{20}\//

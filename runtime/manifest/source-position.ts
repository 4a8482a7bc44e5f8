import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packagesFolder } from '../isolation/reach.ts'

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

/** The text with packages where they lie in a clone, in `node_modules` of the repo, and not where they are kept here. */
function packagesInRepo(text: string, repo: string): string {
  const [before, ...parts] = text.split(`${dirname(repo)}/${packagesFolder}/`)
  return (
    before +
    parts
      .map(part =>
        installation.test(part)
          ? `${repo}/${part.replace(installation, '')}`
          : `${dirname(repo)}/${packagesFolder}/${part}`,
      )
      .join('')
  )
}

const installation = /^[0-9a-f]{20}\//

/** A readable stack: only the repo's own frames, with relative paths. */
export function readableStack(stack: string, repo: string): string {
  return packagesInRepo(stack, repo)
    .split('\n')
    .filter(line => !/^\s+at .*:\d+\)?$/.test(line) || line.includes(`${repo}/`))
    .join('\n')
    .replaceAll(`file://${repo}/`, '')
    .replaceAll(`${repo}/`, '')
}

import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { packagesFolder } from '../isolation/reach.ts'

export interface SourcePosition {
  /** Relative to the repo. */
  file: string
  line: number
  column: number
}

/** The first place in a stack that lies in the repo's own files, not in its packages. */
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

/** A file's path relative to the repo; null when it lies elsewhere. */
export function inRepo(file: string, repo: string): string | null {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return path.startsWith(`${repo}/`) ? path.slice(repo.length + 1) : null
}

/**
 * Replaces places in a built file by those in the sources. Done only when there is an error to show: with Node’s own
 * source maps, a process reads the whole map before the first line of a job runs.
 */
export function mappedStack(stack: string, builtFile: string): string {
  const url = pathToFileURL(builtFile).href
  if (!stack.includes(url)) return stack
  try {
    const map = new SourceMap(JSON.parse(readFileSync(`${builtFile}.map`, 'utf8')))
    return stack.replaceAll(/(file:\/\/\S+?):(\d+):(\d+)/g, (place, file: string, line, column) => {
      if (file !== url) return place
      const origin = map.findOrigin(Number(line), Number(column))
      if (!('fileName' in origin)) return place
      const source = new URL(origin.fileName, url)
      if (source.protocol !== 'file:') return place
      return `${fileURLToPath(source)}:${origin.lineNumber}:${origin.columnNumber}`
    })
  } catch {
    return stack
  }
}

/** The text with packages where they lie in a clone, in `node_modules` of the repo, and not where they are kept here. */
export function packagesInRepo(text: string, repo: string): string {
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

/** A stack as its reader wants it: the repo's own frames, with paths relative to it; ours and Node's are left out. */
export function readableStack(stack: string, repo: string): string {
  return packagesInRepo(stack, repo)
    .split('\n')
    .filter(line => !/^\s+at .*:\d+\)?$/.test(line) || line.includes(`${repo}/`))
    .join('\n')
    .replaceAll(`file://${repo}/`, '')
    .replaceAll(`${repo}/`, '')
}

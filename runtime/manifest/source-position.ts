import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

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

/** A readable stack: only the repo's own frames, with relative paths. */
export function readableStack(stack: string, repo: string): string {
  return stack
    .split('\n')
    .filter(line => !/^\s+at .*:\d+\)?$/.test(line) || line.includes(`${repo}/`))
    .join('\n')
    .replaceAll(`file://${repo}/`, '')
    .replaceAll(`${repo}/`, '')
}

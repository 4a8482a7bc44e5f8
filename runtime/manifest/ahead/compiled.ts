import { join } from 'node:path'
import { type CompiledFile, compileFiles } from '../../modules/compile.ts'
import { factsOf } from '../../modules/effects/facts.ts'
import { findSources } from '../sources.ts'
import { stampAt } from './stamps.ts'

/** Files that were compiled before they were asked for. */
export interface Ahead {
  /** Those of these files that are still as they were compiled, as far as that is certain. */
  unchanged(paths: readonly string[]): CompiledFile[]
}

/** More than this is not compiled ahead: the process waits with it for a while. */
const mostBytes = 4 * 1024 * 1024

/** More than this is not looked at ahead for what it does when it is loaded: that needs many times the memory of the code. */
const mostLookedAt = 1024 * 1024

/**
 * Compiles the files of the repo as they are now. Null when that has to be left to the reading, with its errors. `now` is
 * the time of day, in milliseconds.
 */
export async function compileAhead(repo: string, now: () => number = Date.now): Promise<Ahead | null> {
  const sources = findSources(repo)
  if ('errors' in sources || sources.bytes > mostBytes) return null
  const { paths, read, plugins } = sources
  if (paths.some(path => path.endsWith('.json') && otherSettings.test(read(path)))) return null
  const stampOf = (path: string) => stampAt(join(repo, path), now())
  const stamps = new Map(paths.map(path => [path, stampOf(path)]))
  const settings = settingsOf(paths, stampOf)
  const files = new Map(
    (await compileFiles(repo, paths, { read, plugins }))
      .filter(({ errors }) => errors.length === 0)
      .map(file => [file.path, file]),
  )
  if (sources.bytes <= mostLookedAt) for (const file of files.values()) factsOf(file)
  return {
    unchanged: current => {
      if (settings === null || settingsOf(current, stampOf) !== settings) return []
      return current.flatMap(path => {
        const stamp = stamps.get(path) ?? null
        return stamp !== null && stamp === stampOf(path) ? (files.get(path) ?? []) : []
      })
    },
  }
}

/** Settings of TypeScript that another file than JSON has a part in. */
const otherSettings = /"extends"[^}]*?"\.{1,2}\/[^"]*(?<!\.json)"/

/** What decides how all files are compiled: every JSON file may be a setting, or what one extends. Null when unsure. */
function settingsOf(paths: readonly string[], stampOf: (path: string) => string | null): string | null {
  const files = paths.filter(path => path.endsWith('.json'))
  const stamps = files.map(stampOf)
  if (stamps.includes(null)) return null
  // What packages bring may be extended, too.
  return JSON.stringify([files, stamps, ...['node_modules', 'node_modules/.package-lock.json'].map(stampOf)])
}

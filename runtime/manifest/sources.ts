import { realpathSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plugin } from 'esbuild'
import { readRegular } from '../../src/storage/regular-file.ts'
import { isWithin, scratchFolder } from '../isolation/reach.ts'
import type { Links } from '../modules/build.ts'
import { codeEnding, listCode, repoLimits } from '../modules/list.ts'
import { missingInWords } from './compile-words.ts'
import type { ManifestError } from './manifest-error.ts'
import { settingsOutside } from './outside.ts'
import { type Draft, readingLimits } from './reader-protocol.ts'

/** The code of a repo, before it is compiled. */
export interface Sources {
  /** The manifest, or what it leads to. */
  entry: string
  /** Code, and JSON that is not too large to be code. */
  paths: string[]
  /** The other JSON files. */
  large: ReadonlySet<string>
  folders: ReadonlySet<string>
  links: Links
  bytes: number
  read(path: string): string
  /** For the compiler. */
  plugins: Plugin[]
}

/** JSON files beyond this size in bytes are data: they are part of a build only where code imports them. */
const largestData = 1024 * 1024

/** Finds the code of the repo, with the draft in the place of its file. Refuses what leads out of the repo, or is too much. */
export function findSources(repo: string, draft?: Draft): Sources | { errors: ManifestError[] } {
  const led = settingsOutside(repo, ['.'])
  if (led.length > 0) return { errors: led }
  const links: Record<string, string> = {}
  const onLink = (path: string) => {
    const target = targetOf(join(repo, path), repo)
    if (target !== null) links[path] = target
  }
  const listed = listCode(repo, scratchFolder, { onLink })
  if (listed === null) return { errors: [tooMany()] }
  const all = draft && codeEnding.test(draft.file) ? [...new Set([...listed, draft.file])].sort() : listed
  const large = new Set(all.filter(path => path.endsWith('.json') && sizeOf(join(repo, path)) > largestData))
  const paths = all.filter(path => !large.has(path))
  const bytes = paths.reduce((sum, path) => sum + sizeOf(join(repo, path)), 0)
  if (bytes > readingLimits.build) return { errors: [tooLarge(bytes)] }
  const entry = entryOf(repo, paths)
  if (entry === null)
    return { errors: [atManifest(missingInWords('manifest.ts', { importer: '', repo, clone: false }))] }
  return {
    ...{ entry, paths, large, bytes, links },
    folders: new Set(paths.map(path => dirname(path))),
    read: path =>
      draft?.file === path ? draft.content : textOf(readRegular(join(repo, path), readingLimits.build)),
    plugins: draft ? [withDraft(repo, draft)] : [],
  }
}

/** Links are followed here, as Node does; null when there is no manifest. */
function entryOf(repo: string, paths: readonly string[]): string | null {
  if (paths.includes('manifest.ts')) return 'manifest.ts'
  try {
    const real = relative(repo, realpathSync(join(repo, 'manifest.ts')))
    return paths.includes(real) ? real : null
  } catch {
    return null
  }
}

/** Without the mark that some editors begin files with, which is no JSON. */
const textOf = (bytes: Buffer | null) => bytes?.toString('utf8').replace(/^\uFEFF/, '') ?? ''

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Reads one file from memory, also where none of its name is there yet. */
function withDraft(repo: string, draft: Draft): Plugin {
  const path = join(repo, draft.file)
  return {
    name: 'draft',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^\// }, args => (args.path === path ? { path } : undefined))
      onLoad({ filter: /.*/, namespace: 'file' }, args =>
        args.path === path
          ? { contents: draft.content, loader: 'default', resolveDir: dirname(path) }
          : undefined,
      )
    },
  }
}

/** Where a link leads in the repo, relative to it; null when that is outside, or nothing. */
function targetOf(link: string, repo: string): string | null {
  try {
    const real = realpathSync(link)
    return real !== repo && isWithin(real, repo) ? relative(repo, real) : null
  } catch {
    return null
  }
}

function tooMany(): ManifestError {
  const { files, folders } = repoLimits
  return atManifest(
    `the jobs repo has more than ${files} code files or ${folders} folders; keep data in data/, and packages in node_modules/`,
  )
}

function tooLarge(bytes: number): ManifestError {
  const mebibytes = (size: number) => Math.ceil(size / 1024 / 1024)
  return atManifest(
    `all the code together has ${mebibytes(bytes)} MiB, more than ${mebibytes(readingLimits.build)}; keep data in files that jobs read`,
  )
}

function atManifest(message: string): ManifestError {
  return { file: 'manifest.ts', line: null, column: null, message }
}

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnPackageFiles, OwnPackages } from './own-packages.ts'

/** How Node loads a file: `text` is a module whose default export is the file's text. */
export type ModuleFormat = 'module' | 'commonjs' | 'json' | 'text'

/** A file of the jobs repo as it was compiled: the piece of the build's code from byte `from` to byte `to`. */
export interface BuiltFile {
  format: ModuleFormat
  from: number
  to: number
  /** A module that became CommonJS, with a default export: modules import that one, and not all of `module.exports`. */
  hasDefault?: true
  /** Where the file does not compile: what importing it throws. */
  error?: string
}

/** `paths` and `baseUrl` of the `tsconfig.json` of a folder: what else a name of a module may stand for. */
export interface Aliases {
  /** The folder whose files they count for, relative to the repo; '' for the repo itself. */
  folder: string
  /** Null when there is none; relative to the repo. */
  baseUrl: string | null
  /** A pattern with at most one star, and what it stands for, relative to the repo. */
  paths: readonly { pattern: string; targets: readonly string[] }[]
}

/** Links of the repo that lead to another place in it, by their paths. */
export type Links = Readonly<Record<string, string>>

/** An import of the manifest that only hands functions to `register`: what it names is loaded when a run calls it. */
export interface DeferredImport {
  /** The statement in the compiled manifest, in characters. */
  from: number
  to: number
  /** What stands in its place: the same names, as functions that import the real one and call it. */
  stub: string
}

/** The index of a build. Paths are relative to the repo. */
export interface CodeBuild {
  /** The manifest; where `manifest.ts` is a link, what it leads to. */
  entry: string
  files: Record<string, BuiltFile>
  /** The deepest folders first. */
  aliases: readonly Aliases[]
  deferred: readonly DeferredImport[]
  /** Links within the repo; a build of an older program has none. */
  links?: Links
  /** Workspaces and `file:` folders; a build of an older program has none. */
  own?: OwnPackages
}

/** The file that a build starts with, and the one that holds the code of all files. */
export const buildIndex = 'build.json'
export const buildCode = 'code'

export interface OpenBuild extends CodeBuild, OwnPackageFiles {
  own: OwnPackages
  links: Links
  /** The code of a file. */
  code(file: BuiltFile): string
}

export function openBuild(dir: string): OpenBuild {
  const index = JSON.parse(readFileSync(join(dir, buildIndex), 'utf8')) as CodeBuild
  const code = ({ from, to }: BuiltFile) => {
    const bytes = Buffer.allocUnsafe(to - from)
    const file = openSync(join(dir, buildCode), 'r')
    try {
      for (let read = 0; read < bytes.length; ) {
        const more = readSync(file, bytes, read, bytes.length - read, from + read)
        if (more === 0) throw new Error('the build is shorter than its index says')
        read += more
      }
    } finally {
      closeSync(file)
    }
    return bytes.toString('utf8')
  }
  const parsed = new Map<string, unknown>()
  const json = (path: string) => {
    const file = Object.hasOwn(index.files, path) ? index.files[path] : undefined
    if (file?.format !== 'json') return undefined
    if (!parsed.has(path)) parsed.set(path, parsedJson(code(file)))
    return parsed.get(path)
  }
  return { ...index, own: index.own ?? {}, links: index.links ?? {}, code, json }
}

/** Undefined for what is not valid. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

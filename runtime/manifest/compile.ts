import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { type Message, stop } from 'esbuild'
import { isWithin } from '../isolation/reach.ts'
import { readAliases } from '../modules/aliases.ts'
import type { Aliases } from '../modules/build.ts'
import { type CompiledFile, compileFiles } from '../modules/compile.ts'
import { whatCanWait } from '../modules/deferred.ts'
import { type Compiled, walkImports } from '../modules/graph.ts'
import { installedPackages } from '../modules/installed.ts'
import { withMetadata } from '../modules/metadata.ts'
import { ownPackagesOf } from '../modules/own-packages.ts'
import { aliasedTo, withoutQuery } from '../modules/resolve.ts'
import { writeBuild } from '../modules/write-build.ts'
import type { Ahead } from './ahead/compiled.ts'
import { allInWords, inWords, missingInWords, placeOf, unexportedInWords } from './compile-words.ts'
import type { ManifestError } from './manifest-error.ts'
import { isOutside, settingsOutside } from './outside.ts'
import { type ReadingRequest, readingLimits } from './reader-protocol.ts'
import { findSources } from './sources.ts'

export interface Compilation {
  /** Names the content of the build. */
  code: string
  /** The repo's files that the manifest reaches. */
  inputs: string[]
  /** Modules that the manifest is read without, and that use no packages: they are loaded to see that they can be. */
  unread: { path: string; names: readonly string[] }[]
  /** Where the names of imports can be looked up. */
  compiled: Compiled
  /** What fails when a run comes to it. */
  warnings: ManifestError[]
}

/**
 * Compiles the code of the repo into `out`, each file by itself. The steps: 1. Settings that lead out of the repo are
 * refused. 2. Every file is compiled, but those that were compiled ahead and have not changed. 3. From the manifest on, what each file imports is looked for: what is missing, lies
 * outside or does not compile is an error. A file that the manifest does not reach may be broken. 4. Imports of the
 * manifest that can wait are found. 5. The build is written and named by its content.
 */
export async function compileManifest(
  request: ReadingRequest,
  ahead: Ahead | null,
): Promise<{ errors: ManifestError[] } | Compilation> {
  try {
    return await compileAll(request, ahead)
  } catch (error) {
    return { errors: allInWords(error as { errors?: Message[]; message: string }, request.repo) }
  } finally {
    // esbuild's child process takes orders from this process, and must not take any from the customer's code. Only the
    // repo's own TypeScript, which may compile before, runs while it is there; the system confines both alike.
    await stop()
  }
}

async function compileAll(
  { repo, out, draft, clone = false }: ReadingRequest,
  ahead: Ahead | null,
): Promise<{ errors: ManifestError[] } | Compilation> {
  const sources = findSources(repo, draft)
  if ('errors' in sources) return sources
  const { entry, paths, large, folders, links, read } = sources
  const metadata = withMetadata(repo, paths, read)
  const plugins = [...metadata.plugins, ...sources.plugins]
  const reused =
    ahead?.unchanged(paths).filter(({ path }) => !metadata.made.has(path) && path !== draft?.file) ?? []
  const known = new Set(reused.map(({ path }) => path))
  const rest = paths.filter(path => !known.has(path))
  const compiled = [...reused, ...(await compileFiles(repo, rest, { read, plugins, named: metadata.made }))]
  const there = (path: string) => isThere(join(repo, path), repo)
  const aliases = readAliases(repo, folders)
  const imported = [...pathsOf(compiled, aliases, ({ imports }) => imports)].filter(path => large.has(path))
  compiled.push(...(await compileFiles(repo, imported, { read, plugins: [] })))
  const files = new Map(compiled.map(file => [file.path, file]))
  for (const path of pathsOf(compiled, aliases, ({ texts = [] }) => texts)) {
    if (!files.has(path) && there(path)) files.set(path, asText(path, read(path)))
  }
  const own = ownPackagesOf(repo)
  const installed = installedPackages(repo, { clone, isThere: there })
  const graph = walkImports(entry, {
    ...{ files, aliases, own, links },
    isThere: there,
    hasPackage: installed.has,
  })
  const lacking = graph.missing.map(({ specifier, importer, later }) => {
    const { outside, ...error } = missing({ specifier, importer, repo, clone }, read)
    return { error, later: later && !outside }
  })
  const strangers = settingsOutside(repo, new Set(graph.inputs.map(path => dirname(path))))
  const errors = [
    ...graph.inputs.flatMap(path => (files.get(path)?.errors ?? []).map(error => inWords(error, repo))),
    ...lacking.filter(each => !each.later).map(({ error }) => error),
    ...graph.inputs.flatMap(path => withoutMetadata(path, metadata.lacking.get(path))),
    ...strangers,
  ]
  if (errors.length > 0) return { errors: errors.slice(0, readingLimits.errors) }
  const waiting = whatCanWait(entry, { files, aliases, own, links, graph })
  if (waiting.unexported.length > 0)
    return { errors: unexportedInWords(waiting.unexported, { files, aliases, own, links }, read) }
  const code = writeBuild(out, {
    files: [...files.values()],
    aliases,
    own,
    links,
    entry,
    deferred: waiting.deferred,
    packages: installed.name,
  })
  const warnings = lacking.map(({ error }) => error).slice(0, readingLimits.errors)
  return {
    ...{ code, inputs: graph.inputs, unread: waiting.unread, warnings },
    compiled: { files, aliases, own, links },
  }
}

/** What these imports of the files name, as paths in the repo. */
function pathsOf(
  compiled: readonly CompiledFile[],
  aliases: readonly Aliases[],
  importsOf: (file: CompiledFile) => readonly string[],
): Set<string> {
  const found = compiled.flatMap(file =>
    importsOf(file).flatMap(specifier => {
      const plain = withoutQuery(specifier)
      const path = posix.join(dirname(file.path), plain)
      return plain.startsWith('.') ? [path] : aliasedTo(aliases, plain, file.path)
    }),
  )
  return new Set(found.filter(path => !path.startsWith('../')))
}

const asText = (path: string, code: string): CompiledFile => ({
  path,
  format: 'text',
  code,
  imports: [],
  exports: ['default'],
  errors: [],
})

/** An import that leads to nothing, at its first place in the file. */
function missing(
  { specifier, importer, repo, clone }: { specifier: string; importer: string; repo: string; clone: boolean },
  read: (path: string) => string,
): ManifestError & { outside: boolean } {
  const file = join(repo, dirname(importer), specifier)
  const where = { file: importer, ...placeOf(specifier, read(importer)) }
  const link = ['', '.ts', '.tsx', '.js', '.mts', '.json'].map(ending => file + ending).find(isLink)
  if (link !== undefined && isWithin(link, repo)) {
    const led = `"${specifier}" is a link that leads to ${readlinkSync(link)}, which`
    if (!isOutside(link, repo))
      return {
        ...where,
        message: `${led} is no code of the jobs repo; import the file itself`,
        outside: true,
      }
    return { ...where, message: `${led} lies outside the jobs repo; put the file itself here`, outside: true }
  }
  const outside = /^[./]/.test(specifier) && isOutside(file, repo)
  return { ...where, message: missingInWords(specifier, { importer, repo, clone }), outside }
}

/** A link that leads out of the repo is not. */
function isThere(file: string, repo: string): boolean {
  return !isOutside(file, repo) && existsSync(file)
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink()
  } catch {
    return false
  }
}

/** Said rather than dropped: what reads the metadata would find nothing, and not say why. */
function withoutMetadata(file: string, line: number | undefined): ManifestError[] {
  if (line === undefined) return []
  const message =
    'tsconfig.json sets "emitDecoratorMetadata", which only TypeScript itself can do: add "typescript": "~5.9.0" to "dependencies" in package.json, and it is used here; or remove the setting, and name types where you decorate'
  return [{ file, line, column: null, message }]
}

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Message } from 'esbuild'
import { isPointerFile } from '../git/objects/lfs.ts'
import type { Unexported } from '../modules/effects/reach.ts'
import { exportsOf, otherExports } from '../modules/errors/load-errors.ts'
import type { Compiled } from '../modules/graph.ts'
import type { ManifestError } from './manifest-error.ts'
import { isOutside, outsideInWords } from './outside.ts'
import { readingLimits } from './reader-protocol.ts'

/** What the compiler says, for the person who wrote the files. */
export function allInWords(failed: { errors?: Message[]; message: string }, repo: string): ManifestError[] {
  // Why a folder above the repo cannot be read is of no use beside what was looked for there.
  const errors = failed.errors?.filter(({ text }) => !/^Cannot read directory "\.\.[/"]/.test(text)) ?? []
  if (errors.length > 0) return errors.slice(0, readingLimits.errors).map(error => inWords(error, repo))
  return [
    {
      file: null,
      line: null,
      column: null,
      message: `esbuild failed: ${failed.errors?.[0]?.text ?? failed.message}`,
    },
  ]
}

/** Of a file outside the repo it tells that it lies there, and nothing that it holds. */
export function inWords({ location, text }: Message, repo: string): ManifestError {
  const where = location && resolve(repo, location.file)
  if (where && isOutside(where, repo)) return outsideInWords(where, repo)
  const unread = /^Cannot read file "(.*)": /.exec(text)?.[1]
  if (unread !== undefined && isOutside(resolve(repo, unread), repo)) {
    const from = location && { file: location.file, line: location.line, column: location.column + 1 }
    return outsideInWords(resolve(repo, unread), repo, from ?? undefined)
  }
  if (/^(<{7} |={7}$|>{7} )/.test(location?.lineText ?? '')) {
    const message = 'merge conflict not resolved: choose between the two sides, and remove its marks'
    return { file: location?.file ?? null, line: location?.line ?? null, column: 1, message }
  }
  if (location && isPointerFile(join(repo, location.file))) {
    const message =
      'is a Git LFS pointer: its content lies in LFS storage, which is not fetched here; commit the file itself, as after git lfs migrate export'
    return { file: location.file, line: null, column: null, message }
  }
  const missing = /^Could not resolve "(.*)"$/.exec(text)?.[1]
  return {
    file: location?.file ?? 'manifest.ts',
    line: location?.line ?? null,
    column: location ? location.column + 1 : null,
    message:
      missing === undefined
        ? text
        : missingInWords(missing, { importer: location?.file ?? '', repo, clone: false }),
  }
}

/** What to say of an import in `importer` that leads to nothing, and what to do about it where the person is. */
export function missingInWords(
  path: string,
  { importer, repo, clone }: { importer: string; repo: string; clone: boolean },
): string {
  if (path === 'manifest.ts') return 'manifest.ts is not there; it registers the jobs'
  if (/^[./]/.test(path) && isOutside(resolve(repo, dirname(importer), path), repo)) {
    return `imports "${path}", which lies outside the jobs repo; put the file itself here`
  }
  if (/^[./]/.test(path)) return `cannot find the file "${path}"`
  const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/')
  return clone ? missingInClone(name, repo) : missingHere(name, repo)
}

function missingInClone(name: string, repo: string): string {
  if (isNamed(name, 'dependencies', repo)) {
    return `cannot find the package "${name}": package.json names it, but it is not installed; run npm install`
  }
  if (isNamed(name, 'devDependencies', repo)) {
    return `the package "${name}" is in "devDependencies" of package.json, which an instance does not install; move it to "dependencies": npm install --save-prod ${name}`
  }
  if (existsSync(join(repo, 'node_modules', name))) {
    return `the package "${name}" is here only because one in "devDependencies" needs it, and an instance does not install it; add it to "dependencies" in package.json: npm install ${name}`
  }
  return `cannot find the package "${name}"; add it to "dependencies" in package.json: npm install ${name}`
}

function missingHere(name: string, repo: string): string {
  if (isNamed(name, 'dependencies', repo)) {
    return `cannot find the package "${name}": package.json names it, but it is not installed`
  }
  if (isNamed(name, 'devDependencies', repo)) {
    return `cannot find the package "${name}": package.json names it in "devDependencies", which are not installed here; move it to "dependencies"`
  }
  return `cannot find the package "${name}"; add it to "dependencies" in package.json and save: it is installed here then`
}

function isNamed(name: string, field: 'dependencies' | 'devDependencies', repo: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as Record<string, object>
    return Object.hasOwn(manifest[field] ?? {}, name)
  } catch {
    return false
  }
}

/** Names that files do not export, as Node says it of the modules that are loaded with the manifest. */
export function unexportedInWords(
  unexported: readonly Unexported[],
  compiled: Compiled,
  read: (path: string) => string,
): ManifestError[] {
  const names = exportsOf(compiled)
  const errors = unexported.map(({ importer, specifier, name }) => {
    const said = `SyntaxError: The requested module '${specifier}' does not provide an export named '${name}'`
    const message = said + otherExports(said, importer, names)
    return { file: importer, ...placeOf(specifier, read(importer)), message }
  })
  // A file that several modules import is found with each of them.
  const different = new Map(errors.map(each => [JSON.stringify(each), each]))
  return [...different.values()].slice(0, readingLimits.errors)
}

/** Where a file first names a module. */
export function placeOf(specifier: string, text: string): { line: number | null; column: number | null } {
  const lines = text.split('\n')
  const column = (line: string) =>
    Math.max(line.indexOf(`'${specifier}'`), line.indexOf(`"${specifier}"`), line.indexOf(`\`${specifier}\``))
  const line = lines.findIndex(each => column(each) >= 0)
  return line < 0 ? { line: null, column: null } : { line: line + 1, column: column(lines[line] ?? '') + 1 }
}

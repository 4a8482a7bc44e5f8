import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuiltFile, buildCode, buildIndex, type CodeBuild } from './build.ts'
import type { CompiledFile } from './compile.ts'
import { buildPackages } from './packages-of.ts'

/**
 * Writes a build into a folder. Returns the name that stands for its content: the same code with other packages is
 * another build. `packages` is the name of an installation, or null.
 */
export function writeBuild(
  out: string,
  {
    files,
    aliases,
    deferred,
    own,
    links,
    entry,
    packages,
  }: Omit<CodeBuild, 'files'> & { files: readonly CompiledFile[]; packages: string | null },
): string {
  const pieces: Buffer[] = []
  const index: CodeBuild = {
    entry,
    files: {},
    aliases,
    deferred,
    ...(Object.keys(own ?? {}).length > 0 && { own }),
    ...(Object.keys(links ?? {}).length > 0 && { links }),
  }
  let from = 0
  for (const { path, format, code, hasDefault, errors } of files.toSorted((one, other) =>
    one.path < other.path ? -1 : 1,
  )) {
    const piece = Buffer.from(code)
    const file: BuiltFile = { format, from, to: from + piece.length }
    if (hasDefault) file.hasDefault = true
    const [error] = errors
    const { line = 1, column = 0 } = error?.location ?? {}
    if (error) file.error = `${path}:${line}:${column + 1}: ${error.text}`
    index.files[path] = file
    pieces.push(piece)
    from += piece.length
  }
  return writeTexts(out, index, pieces, packages)
}

/**
 * Copies a build into a folder with another text of one of its JSON files, which is what compiling it again would make.
 * Returns the name of the copy.
 */
export function copyBuildWith(made: string, out: string, path: string, text: Buffer): string {
  const index = JSON.parse(readFileSync(join(made, buildIndex), 'utf8')) as CodeBuild
  const code = readFileSync(join(made, buildCode))
  const pieces: Buffer[] = []
  let from = 0
  for (const [name, file] of Object.entries(index.files)) {
    const piece = name === path ? text : code.subarray(file.from, file.to)
    index.files[name] = { ...file, from, to: from + piece.length }
    pieces.push(piece)
    from += piece.length
  }
  return writeTexts(out, index, pieces, null)
}

/** Returns the name that stands for the content. */
function writeTexts(
  out: string,
  index: CodeBuild,
  pieces: readonly Buffer[],
  packages: string | null,
): string {
  const texts = {
    [buildIndex]: JSON.stringify(index),
    [buildCode]: Buffer.concat(pieces),
    ...(packages === null ? {} : { [buildPackages]: packages }),
  }
  const hash = createHash('sha256')
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(out, name), text)
    hash.update(text)
  }
  return hash.digest('hex').slice(0, 20)
}

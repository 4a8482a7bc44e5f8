import { parse } from 'acorn'
import { nearest } from '../../../src/nearest.ts'
import type { CompiledFile } from '../compile.ts'
import { type Compiled, resolvable } from '../graph.ts'
import { resolveInBuild, withoutQuery } from '../resolve.ts'
import { mapOf } from './import-sites.ts'

/** The names that the file behind an import exports; null for a package, or when they are not known. */
export type ExportsOf = (
  specifier: string,
  importer: string,
) => { names: readonly string[]; all: boolean } | null

export function exportsOf(compiled: Compiled): ExportsOf {
  const build = resolvable(compiled)
  return (specifier, importer) => {
    const path = resolveInBuild(build, withoutQuery(specifier), importer)
    const { exports: names, code = '' } = (path !== null && compiled.files.get(path)) || { exports: null }
    // What `export *` passes on is known only to what runs.
    return names && { names, all: !/^export \* from |\b__reExport\(/m.test(code) }
  }
}

const missingExport =
  /^SyntaxError: The requested module '([^']+)' does not provide an export named '([^']+)'/

const listed = 20

/** What an imported file has instead of the name that it lacks, to be read after what Node says; '' for any other error. */
export function otherExports(said: string, importer: string, known: ExportsOf): string {
  const [, specifier = '', wanted = ''] = missingExport.exec(said) ?? []
  const found = known(specifier, importer)
  if (found === null) return ''
  const { names, all } = found
  if (names.length === 0) return all ? '; it exports nothing' : ''
  const close = nearest(wanted, names)
  if (close) return `; did you mean ${close}?`
  const some = names.slice(0, listed).map(name => (name === 'default' ? 'default (import x from …)' : name))
  return `; it exports ${some.join(', ')}${all && names.length <= listed ? '' : ', …'}`
}

/**
 * Where the first of these files has a mistake that esbuild lets through and Node does not, such as a name that is
 * imported twice: Node's error says neither file nor line. Null when there is none.
 */
export function syntaxSite(
  files: readonly CompiledFile[],
): { file: string; line: number; column: number } | null {
  for (const { path, format, code } of files) {
    if (format !== 'module') continue
    try {
      parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
    } catch (error) {
      const { loc } = error as { loc?: { line: number; column: number } }
      if (!loc) continue
      const origin = mapOf(code.split('\n'))?.findEntry(loc.line - 1, loc.column)
      return origin && 'originalLine' in origin
        ? { file: path, line: origin.originalLine + 1, column: origin.originalColumn + 1 }
        : { file: path, line: loc.line, column: loc.column + 1 }
    }
  }
  return null
}

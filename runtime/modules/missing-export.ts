import { nearest } from '../../src/nearest.ts'
import { type Compiled, resolvable } from './graph.ts'
import { resolveInBuild, withoutQuery } from './resolve.ts'

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

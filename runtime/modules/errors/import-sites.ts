import { SourceMap } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { OpenBuild } from '../build.ts'

/** A place in a file of the jobs repo where something is imported. */
export interface ImportSite {
  /** Relative to the repo. */
  file: string
  line: number
  column: number
  specifier: string
}

interface Asked {
  specifier: string
  /** The module that asked first. */
  parent: string
}

/** Remembers who imported what, so that a package that fails while it is loaded leads to the line that asked for it. */
export class ImportSites {
  readonly #build: OpenBuild
  readonly #pathOf: (url: string | undefined) => string | null
  readonly #asked = new Map<string, Asked>()

  /** `pathOf` gives the path of a file of the repo in the build, and null for any other module. */
  constructor(build: OpenBuild, pathOf: (url: string | undefined) => string | null) {
    this.#build = build
    this.#pathOf = pathOf
  }

  note(url: string, specifier: string, parent: string | undefined): void {
    if (parent !== undefined && !this.#asked.has(url)) this.#asked.set(url, { specifier, parent })
  }

  /** Where the repo imports the module in which a stack begins; null when the stack is not one of loading a package. */
  find(stack: string): ImportSite | null {
    const missing = this.#ofMissingName(stack)
    if (missing) return missing
    for (const [, path = ''] of stack.matchAll(/(?:file:\/\/)?(\/[^\s():]+):\d+:\d+/g)) {
      const site = this.#above(encodeURI(`file://${path}`))
      if (site) return site
    }
    return null
  }

  /**
   * Where a name is imported that the module does not export: Node says the file in the first line of the stack, and the
   * specifier in its words. Null for any other error.
   */
  #ofMissingName(stack: string): ImportSite | null {
    const [, scheme, file = ''] = /^(file:\/\/)?(\/.+):\d+$/m.exec(stack) ?? []
    const specifier = /The requested module '([^']+)'/.exec(stack)?.[1]
    const path = this.#pathOf(scheme ? scheme + file : pathToFileURL(file).href)
    return path === null || specifier === undefined ? null : this.#place(path, specifier)
  }

  #above(url: string): ImportSite | null {
    const seen = new Set<string>()
    for (let asked = this.#asked.get(url); asked && !seen.has(asked.parent); ) {
      seen.add(asked.parent)
      const path = this.#pathOf(asked.parent)
      if (path !== null) return this.#place(path, asked.specifier)
      asked = this.#asked.get(asked.parent)
    }
    return null
  }

  #place(path: string, specifier: string): ImportSite | null {
    const file = this.#build.files[path]
    if (!file) return null
    const lines = this.#build.code(file).split('\n')
    const quoted = [`'${specifier}'`, `"${specifier}"`, `\`${specifier}\``]
    const line = lines.findIndex(text => quoted.some(each => text.includes(each)))
    if (line < 0) return { file: path, line: 1, column: 1, specifier }
    // The start of the statement: the map of a file has no place for each word.
    const origin = mapOf(lines)?.findEntry(line, 0)
    const isMapped = origin !== undefined && 'originalLine' in origin
    return { file: path, line: (isMapped ? origin.originalLine : line) + 1, column: 1, specifier }
  }
}

/** The source map at the end of a compiled file; null when there is none. */
export function mapOf(lines: readonly string[]): SourceMap | null {
  const last = lines.findLast(text => text.startsWith('//# sourceMappingURL=data:'))
  if (last === undefined) return null
  try {
    return new SourceMap(
      JSON.parse(Buffer.from(last.slice(last.indexOf(',') + 1), 'base64').toString('utf8')),
    )
  } catch {
    return null
  }
}

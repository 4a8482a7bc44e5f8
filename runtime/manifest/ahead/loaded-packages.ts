import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ModuleWatch } from '../../modules/serve.ts'

/** More than these are not linked ahead. */
const mostRoots = 100

/** Notes what a reading loads of packages, for the next one to have it linked ahead. */
export class LoadedPackages implements ModuleWatch {
  readonly #modules: string
  readonly #isLinked: (url: string) => boolean
  /** Modules of packages that files of the repo import. */
  readonly #roots = new Set<string>()
  readonly #importers = new Map<string, Set<string>>()
  readonly #formats = new Map<string, string | null | undefined>()

  /** `packages` is the installation; `isLinked` tells of modules that were linked ahead. */
  constructor(packages: string | null, isLinked: (url: string) => boolean) {
    this.#modules = packages === null ? 'none:' : pathToFileURL(join(packages, 'node_modules/')).href
    this.#isLinked = isLinked
  }

  resolved(url: string, parentURL: string | undefined): void {
    if (isBuiltin(url) || parentURL === undefined) return
    if (!parentURL.startsWith(this.#modules)) {
      if (url.startsWith(this.#modules)) this.#roots.add(url)
      return
    }
    const importers = this.#importers.get(url) ?? new Set()
    this.#importers.set(url, importers.add(parentURL))
  }

  loaded(url: string, format: string | null | undefined): void {
    this.#formats.set(url, format)
  }

  /** Those of the imported modules that consist, with all that they import, of modules of the installation. */
  linkable(): string[] {
    const isModule = (url: string) =>
      url.startsWith(this.#modules) && (this.#isLinked(url) || this.#formats.get(url) === 'module')
    const others = new Set([...this.#importers.keys(), ...this.#roots].filter(url => !isModule(url)))
    // The set grows while it is walked.
    for (const url of others) for (const importer of this.#importers.get(url) ?? []) others.add(importer)
    return [...this.#roots].filter(url => !others.has(url) && !url.includes('?')).slice(0, mostRoots)
  }
}

import type { Compiled } from '../graph.ts'
import { type Resolvable, resolveInBuild, withoutQuery } from '../resolve.ts'
import type { Effects, Use } from './effects.ts'
import { type Facts, factsOf } from './facts.ts'
import { isSettingUp, leavesAsIs, verbs } from './known.ts'

/** What loading a module does, with all that it imports. */
export interface Loading {
  /** It depends on what others may change, or on the order in which modules are loaded. */
  reads: boolean
  /** Others notice: it prints, changes what they read, registers jobs, or may do so. */
  shows: boolean
}

/** A name that a file imports from another one of the repo, which does not export it. */
export interface Unexported {
  importer: string
  specifier: string
  name: string
}

/** Finds out what loading files of a repo does. `entry` is the manifest. */
export class Reach {
  readonly #files: Compiled['files']
  readonly #build: Resolvable
  readonly #entry: string
  readonly #own = new Map<string, Loading>()
  readonly #circles = new Map<string, boolean>()
  readonly #next = new Map<string, readonly string[]>()

  constructor({ files }: Compiled, build: Resolvable, entry: string) {
    this.#files = files
    this.#build = build
    this.#entry = entry
  }

  loading(path: string): Loading {
    const files = this.#loadedWith(path)
    const own = [...files].map(each => this.#ownLoading(each))
    const reads = own.some(each => each.reads)
    // Where files import each other in a circle, the one that is imported first is loaded last.
    const isOrdered = reads && [...files].some(each => this.#isInCircle(each))
    return { reads, shows: files.has(this.#entry) || isOrdered || own.some(each => each.shows) }
  }

  /** Whether a file that is loaded with this one uses the registry for more than calls of `register`. */
  changesRegistry(path: string): boolean {
    return [...this.#loadedWith(path)].some(each => this.#factsOf(each)?.registry === 'other')
  }

  /** What Node would refuse to load this file for, among the files that come with it. */
  unexported(path: string): Unexported[] {
    return [...this.#loadedWith(path)].flatMap(importer => {
      if (this.#files.get(importer)?.format !== 'module') return []
      const named = this.#factsOf(importer)?.named ?? []
      return named
        .filter(({ specifier, name }) => !this.#mayExport(this.#find(specifier, importer), name))
        .map(each => ({ importer, ...each }))
    })
  }

  /** What a module passes on of a whole other one is not looked up. */
  #mayExport(path: string | null, name: string): boolean {
    const file = path === null ? undefined : this.#files.get(path)
    if (file?.format !== 'module' || !file.exports || file.errors.length > 0) return true
    return file.exports.includes(name) || /^export \* from /m.test(file.code)
  }

  /** What code of a file does: `effects` are those that it has by itself. */
  total(effects: Effects, importer: string, asked = new Set<string>()): Loading {
    const uses = effects.uses.map(use => this.#useIn(use, importer, asked))
    return {
      reads: effects.reads || uses.some(each => each.reads),
      shows: effects.prints || effects.writes || uses.some(each => each.shows),
    }
  }

  #factsOf(path: string): Facts | null {
    const file = this.#files.get(path)
    return file ? factsOf(file) : null
  }

  #find = (specifier: string, importer: string) =>
    resolveInBuild(this.#build, withoutQuery(specifier), importer)

  /** The files of the repo that are loaded with one, itself included. */
  #loadedWith(path: string): ReadonlySet<string> {
    const found = new Set([path])
    for (const each of found) for (const next of this.#nextOf(each)) found.add(next)
    return found
  }

  #nextOf(path: string): readonly string[] {
    const known = this.#next.get(path)
    if (known) return known
    const { imports = [], later = [] } = this.#files.get(path) ?? {}
    const named = [...imports.filter(each => !later.includes(each)), ...(this.#factsOf(path)?.required ?? [])]
    const next = named.flatMap(specifier => this.#find(specifier, path) ?? [])
    this.#next.set(path, next)
    return next
  }

  #isInCircle(path: string): boolean {
    const known = this.#circles.get(path)
    if (known !== undefined) return known
    const found = this.#nextOf(path).some(each => this.#loadedWith(each).has(path))
    this.#circles.set(path, found)
    return found
  }

  #ownLoading(path: string): Loading {
    const known = this.#own.get(path)
    if (known) return known
    const found = this.#findOwn(path)
    this.#own.set(path, found)
    return found
  }

  #findOwn(path: string): Loading {
    const facts = this.#factsOf(path)
    if (!facts) return { reads: true, shows: true }
    const isBare = facts.bare.some(each => this.#find(each, path) === null)
    if (isBare || facts.registry !== null) return { reads: true, shows: true }
    return this.total(facts.loading, path)
  }

  #useIn(use: Use, importer: string, asked: Set<string>): Loading {
    const { specifier, name, path, kind, alone } = use
    if (kind === 'asIs') return { reads: true, shows: this.#changes(name, asked) }
    const file = this.#find(specifier, importer)
    if (file === null) return { reads: true, shows: kind !== 'callback' && packageShows(use) }
    const [last = ''] = path.slice(-1)
    if (kind === 'method') return { reads: true, shows: this.#changes(last, asked) }
    const [exported = name, ...members] = name === '*' ? path : [name, ...path]
    if (members.length > 0)
      return { reads: true, shows: kind !== 'callback' ? this.#changes(last, asked) : alone }
    return this.#call(file, exported, { use, asked })
  }

  /** Whether a method of this name, of some value, may change something. */
  #changes(method: string, asked: Set<string>): boolean {
    if (!leavesAsIs(method)) return true
    if (asked.has(method)) return false
    asked.add(method)
    return [...this.#loadedWith(this.#entry)].some(file => {
      const effects = this.#factsOf(file)?.methods.get(method)
      return effects !== undefined && this.total(effects, file, asked).shows
    })
  }

  #call(file: string, exported: string, { use, asked }: { use: Use; asked: Set<string> }): Loading {
    const key = `${exported} ${file}`
    if (asked.has(key)) return { reads: true, shows: false }
    asked.add(key)
    const facts = this.#factsOf(file)
    const effects = facts?.calling(exported)
    if (effects) return { ...this.total(effects, file, asked), reads: true }
    const passed = facts?.passed.get(exported)
    if (passed) return this.#useIn({ ...use, ...passed, path: [] }, file, asked)
    return { reads: true, shows: use.kind !== 'callback' || use.alone }
  }
}

/** What a package makes belongs to the module that asked for it; what is called and not used is called for what it changes. */
function packageShows({ name, path, kind, alone }: Use): boolean {
  if (kind === 'method') return alone && !isSettingUp(path[0] ?? '')
  return alone || (kind === 'call' && [name, ...path].some(each => verbs.test(each)))
}

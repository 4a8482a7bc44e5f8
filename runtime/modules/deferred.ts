import { isBuiltin } from 'node:module'
import type { DeferredImport } from './build.ts'
import { factsIn, isRegister, registryOf } from './effects/facts.ts'
import { Reach, type Unexported } from './effects/reach.ts'
import { isSyntax, nameOf, parseCode, partsOf, type Syntax } from './effects/syntax.ts'
import { type Compiled, type Graph, resolvable } from './graph.ts'
import { laterName } from './later.ts'
import { resolveInBuild, withoutQuery } from './resolve.ts'

/** An import that can wait, with what it would load. */
interface Deferrable extends DeferredImport {
  /** The exports that are handed on. */
  names: readonly string[]
  /** Those of them that are called. */
  funcs: readonly string[]
}

/** The fields of a job that a run reads only of its own job. */
const fields: ReadonlySet<string> = new Set(['func', 'params'])

export interface Waiting {
  /** Imports of the manifest that a run of another job can do without. */
  deferred: DeferredImport[]
  /** The modules of those that use no packages. */
  unread: { path: string; names: readonly string[] }[]
  /** What is wrong with the imports of the others. */
  unexported: Unexported[]
}

/**
 * What a run of one job can do without: imports of the manifest that only hand functions and parameters of modules to
 * `register`, where nothing else notices whether and when these are loaded.
 */
export function whatCanWait(entry: string, known: Compiled & { graph: Graph }): Waiting {
  const nothing = { deferred: [], unread: [], unexported: [] }
  const manifest = known.files.get(entry)
  const parsed = manifest?.format === 'module' ? parseCode(manifest.code, 'module') : null
  const registry = parsed && registryOf(parsed.program)
  if (!manifest || !parsed || registry === null) return nothing
  const build = resolvable(known)
  const uses = new Uses(parsed.program, registry)
  const imports = importsOf(parsed.program).map(node => {
    const specifier = specifierOf(node)
    const path = resolveInBuild(build, withoutQuery(specifier), entry)
    const exported = path === null ? null : (known.files.get(path)?.exports ?? null)
    const found = deferrable(node, uses)
    const isHandedOn = found?.names.every(name => exported?.includes(name)) === true
    return { node, specifier, path, asked: isHandedOn ? found : null }
  })
  if (imports.every(({ asked }) => asked === null)) return nothing
  const reach = new Reach(known, build, entry)
  const loaded = imports.map(({ node, path, specifier, asked }) => {
    const { reads, shows } =
      path === null ? { reads: true, shows: isForItself(node, specifier) } : reach.loading(path)
    return { reads, shows, asked: shows ? null : asked, path }
  })
  const isChanged = loaded.some(
    each => each.asked === null && each.path !== null && reach.changesRegistry(each.path),
  )
  if (isChanged) return nothing
  const body = reach.total(factsIn(parsed, false).loading, entry)
  // A module that waits is loaded after all others: what it finds must not be what they left.
  const isAlone = (at: number) => !body.shows && loaded.every(({ shows }, other) => other <= at || !shows)
  const waiting = loaded.flatMap(({ asked, path, reads }, at) =>
    asked && path !== null && (!reads || isAlone(at)) ? [{ ...asked, path }] : [],
  )
  const [unread, others] = [false, true].map(uses =>
    waiting.filter(({ path }) => usesPackages(path, known.graph) === uses),
  )
  return {
    deferred: waiting.map(({ from, to, stub }) => ({ from, to, stub })),
    unread: (unread ?? []).map(({ path, funcs }) => ({ path, names: funcs })),
    unexported: (others ?? []).flatMap(({ path }) => reach.unexported(path)),
  }
}

/** A package that is imported without a name is loaded for what it does. */
const isForItself = ({ specifiers }: Syntax, specifier: string) =>
  (specifiers as Syntax[]).length === 0 && !isBuiltin(specifier)

const importsOf = (program: Syntax) =>
  (program.body as Syntax[]).filter(each => each.type === 'ImportDeclaration')

const specifierOf = (node: Syntax) => String((node.source as Syntax).value)

function usesPackages(path: string, { imports }: Graph, seen = new Set<string>()): boolean {
  if (seen.has(path)) return false
  seen.add(path)
  const own = imports.get(path)
  return (
    own === undefined ||
    own.packages ||
    own.files.some(each => usesPackages(each, { imports } as Graph, seen))
  )
}

/**
 * An import of the manifest whose names stand nowhere but as `func` or `params` in what is handed to `register`: what
 * they are makes no difference to what else is registered. Null for any other import.
 */
function deferrable(node: Syntax, uses: Uses): Deferrable | null {
  const specifiers = node.specifiers as Syntax[]
  const locals = specifiers.map(one => nameOf(one.local as Syntax))
  const all = specifiers.every((one, at) =>
    uses.onlyHandedOn(locals[at] ?? '', one.type === 'ImportNamespaceSpecifier'),
  )
  if (specifiers.length === 0 || !all) return null
  const load = `() => import(${JSON.stringify(specifierOf(node))})`
  const call = (name: string) => `${laterName}(${load}, ${JSON.stringify(name)})`
  const names: string[] = []
  const funcs: string[] = []
  const note = (name: string, calls: boolean) => {
    names.push(name)
    if (calls) funcs.push(name)
  }
  const stubs = specifiers.map((one, index) => {
    const local = locals[index] ?? ''
    if (one.type === 'ImportNamespaceSpecifier') {
      const members = [...uses.membersOf(local)]
      for (const name of members) note(name, uses.isFunc(`${local}.${name}`))
      return `var ${local} = {${members.map(name => `${JSON.stringify(name)}: ${call(name)}`).join(', ')}};`
    }
    const name = one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported as Syntax)
    note(name, uses.isFunc(local))
    return `var ${local} = ${call(name)};`
  })
  return { from: node.start, to: node.end, stub: stubs.join(' '), names, funcs }
}

/** Where the names of a program stand. */
class Uses {
  readonly #registry: string
  readonly #all = new Map<string, number>()
  readonly #handedOn = new Map<string, number>()
  readonly #membersHandedOn = new Map<string, number>()
  readonly #members = new Map<string, Set<string>>()
  /** Names, and members of names, that stand as `func`. */
  readonly #funcs = new Set<string>()

  /** `registry` is the program's name for `jobRegistry`. */
  constructor(program: Syntax, registry: string) {
    this.#registry = registry
    this.#walk(program)
  }

  /** True when the name, or of a namespace a member of it, stands nowhere but in a field that can wait. */
  onlyHandedOn(name: string, isNamespace: boolean): boolean {
    const found = (isNamespace ? this.#membersHandedOn : this.#handedOn).get(name) ?? 0
    return (this.#all.get(name) ?? 0) === found
  }

  membersOf(name: string): ReadonlySet<string> {
    return this.#members.get(name) ?? new Set()
  }

  isFunc(name: string): boolean {
    return this.#funcs.has(name)
  }

  #walk(node: Syntax): void {
    if (node.type === 'ImportDeclaration') return
    if (node.type === 'Identifier') count(this.#all, String(node.name))
    if (node.type === 'CallExpression') this.#noteFields(node)
    for (const each of partsOf(node)) this.#walk(each)
  }

  #noteFields(call: Syntax): void {
    const [first] = call.arguments as unknown[]
    if (!isRegister(call.callee as Syntax, this.#registry)) return
    if (!isSyntax(first) || first.type !== 'ObjectExpression') return
    for (const each of first.properties as Syntax[]) {
      if (each.type !== 'Property' || each.computed) continue
      const field = nameOf(each.key as Syntax)
      if (fields.has(field)) this.#noteValue(each.value as Syntax, field)
    }
  }

  #noteValue(value: Syntax, field: string): void {
    if (value.type === 'Identifier') {
      const name = String(value.name)
      count(this.#handedOn, name)
      if (field === 'func') this.#funcs.add(name)
    }
    const object = value.object as Syntax | undefined
    if (value.type !== 'MemberExpression' || value.computed || object?.type !== 'Identifier') return
    const name = String(object.name)
    const member = nameOf(value.property as Syntax)
    count(this.#membersHandedOn, name)
    this.#members.set(name, (this.#members.get(name) ?? new Set()).add(member))
    if (field === 'func') this.#funcs.add(`${name}.${member}`)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

import { type Node, parse } from 'acorn'
import type { DeferredImport } from './build.ts'
import { type Compiled, type Graph, resolvable } from './graph.ts'
import { laterName } from './later.ts'
import { resolveInBuild } from './resolve.ts'

/** An import that can wait, with what it would load. */
export interface Deferrable extends DeferredImport {
  specifier: string
  /** The exports that are called. */
  names: readonly string[]
}

type Any = Node & Record<string, unknown>

/**
 * What a run of one job can do without: imports of the manifest that only hand functions of ECMAScript modules to
 * `register`. `unread` are those modules of which neither they nor what they import uses packages.
 */
export function whatCanWait(
  entry: string,
  known: Compiled & { graph: Graph },
): { deferred: DeferredImport[]; unread: { path: string; names: readonly string[] }[] } {
  const build = resolvable(known)
  const manifest = known.files.get(entry)
  if (manifest?.format !== 'module') return { deferred: [], unread: [] }
  const found = deferrable(manifest.code).flatMap(({ specifier, names, ...each }) => {
    const path = resolveInBuild(build, specifier, entry)
    const exported = path === null ? null : (known.files.get(path)?.exports ?? null)
    const all = names.every(name => exported?.includes(name))
    return path !== null && all ? [{ each, path, names }] : []
  })
  return {
    deferred: found.map(({ each }) => each),
    unread: found
      .filter(({ path }) => !usesPackages(path, known.graph))
      .map(({ path, names }) => ({ path, names })),
  }
}

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
 * The imports of a compiled manifest whose names stand nowhere but as `func` in what is handed to `register`. Loading
 * them makes no difference to what is registered.
 */
function deferrable(manifest: string): Deferrable[] {
  const program = parse(manifest, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Any
  const imports = (program.body as Any[]).filter(each => each.type === 'ImportDeclaration')
  const uses = new Uses(program)
  return imports.flatMap(each => {
    const specifiers = each.specifiers as Any[]
    const locals = specifiers.map(one => one.local as unknown as { name: string })
    if (
      specifiers.length === 0 ||
      !specifiers.every((one, at) =>
        uses.onlyAsFunc(locals[at]?.name ?? '', one.type === 'ImportNamespaceSpecifier'),
      )
    )
      return []
    const specifier = (each.source as unknown as { value: string }).value
    const load = `() => import(${JSON.stringify(specifier)})`
    const call = (name: string) => `${laterName}(${load}, ${JSON.stringify(name)})`
    const names: string[] = []
    const stubs = specifiers.map((one, index) => {
      const local = locals[index]?.name ?? ''
      if (one.type === 'ImportNamespaceSpecifier') {
        const members = [...uses.membersOf(local)]
        names.push(...members)
        return `var ${local} = {${members.map(name => `${JSON.stringify(name)}: ${call(name)}`).join(', ')}};`
      }
      const name = one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported as Any)
      names.push(name)
      return `var ${local} = ${call(name)};`
    })
    return [{ from: each.start, to: each.end, stub: stubs.join(' '), specifier, names }]
  })
}

const nameOf = (node: Any): string => String(node.type === 'Identifier' ? node.name : node.value)

/** Where the names of a program stand. */
class Uses {
  readonly #all = new Map<string, number>()
  readonly #asFunc = new Map<string, number>()
  readonly #memberAsFunc = new Map<string, number>()
  readonly #members = new Map<string, Set<string>>()

  constructor(program: Any) {
    this.#walk(program)
  }

  /** True when the name, or of a namespace a member of it, stands nowhere but as `func`. */
  onlyAsFunc(name: string, isNamespace: boolean): boolean {
    const found = (isNamespace ? this.#memberAsFunc : this.#asFunc).get(name) ?? 0
    return (this.#all.get(name) ?? 0) === found
  }

  membersOf(name: string): ReadonlySet<string> {
    return this.#members.get(name) ?? new Set()
  }

  #walk(node: Any): void {
    if (node.type === 'ImportDeclaration') return
    if (node.type === 'Identifier') count(this.#all, String(node.name))
    if (node.type === 'CallExpression') this.#noteFunc(node)
    for (const [key, value] of Object.entries(node)) {
      // Names of members and of fields are no use of what is called the same.
      if ((key === 'property' || key === 'key') && node.computed !== true) continue
      for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) this.#walk(each)
    }
  }

  #noteFunc(call: Any): void {
    const called = call.callee as Any
    const [first] = call.arguments as unknown[]
    if (called.type !== 'MemberExpression' || nameOf(called.property as Any) !== 'register') return
    if (!isNode(first) || first.type !== 'ObjectExpression') return
    for (const field of first.properties as Any[]) {
      if (field.type !== 'Property' || field.computed || nameOf(field.key as Any) !== 'func') continue
      const value = field.value as Any
      if (value.type === 'Identifier') count(this.#asFunc, String(value.name))
      const object = value.object as Any | undefined
      if (value.type !== 'MemberExpression' || value.computed || object?.type !== 'Identifier') continue
      const name = String(object.name)
      count(this.#memberAsFunc, name)
      const members = this.#members.get(name) ?? new Set()
      this.#members.set(name, members.add(nameOf(value.property as Any)))
    }
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function isNode(value: unknown): value is Any {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

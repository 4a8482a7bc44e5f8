import { type Node, parse } from 'acorn'
import type { DeferredImport } from './build.ts'
import { type Compiled, type Graph, resolvable } from './graph.ts'
import { laterName } from './later.ts'
import { resolveInBuild } from './resolve.ts'

/** An import that can wait, with what it would load. */
export interface Deferrable extends DeferredImport {
  specifier: string
  /** The exports that are handed on. */
  names: readonly string[]
  /** Those of them that are called. */
  funcs: readonly string[]
}

type Any = Node & Record<string, unknown>

/** The fields of a job that a run reads only of its own job. */
const fields: ReadonlySet<string> = new Set(['func', 'params'])

/**
 * What a run of one job can do without: imports of the manifest that only hand functions and parameters of modules to
 * `register`. `unread` are those modules of which neither they nor what they import uses packages.
 */
export function whatCanWait(
  entry: string,
  known: Compiled & { graph: Graph },
): { deferred: DeferredImport[]; unread: { path: string; names: readonly string[] }[] } {
  const build = resolvable(known)
  const manifest = known.files.get(entry)
  if (manifest?.format !== 'module') return { deferred: [], unread: [] }
  const found = deferrable(manifest.code).flatMap(({ specifier, names, funcs, ...each }) => {
    const path = resolveInBuild(build, specifier, entry)
    const exported = path === null ? null : (known.files.get(path)?.exports ?? null)
    const all = names.every(name => exported?.includes(name))
    return path !== null && all ? [{ each, path, funcs }] : []
  })
  return {
    deferred: found.map(({ each }) => each),
    unread: found
      .filter(({ path }) => !usesPackages(path, known.graph))
      .map(({ path, funcs }) => ({ path, names: funcs })),
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
 * The imports of a compiled manifest whose names stand nowhere but as `func` or `params` in what is handed to `register`:
 * what they are makes no difference to what else is registered.
 */
function deferrable(manifest: string): Deferrable[] {
  let program: Any
  try {
    program = parse(manifest, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Any
  } catch {
    // Such as a name that is imported twice, which esbuild lets through: Node says where it is.
    return []
  }
  const imports = (program.body as Any[]).filter(each => each.type === 'ImportDeclaration')
  const uses = new Uses(program)
  return imports.flatMap(each => {
    const specifiers = each.specifiers as Any[]
    const locals = specifiers.map(one => one.local as unknown as { name: string })
    if (
      specifiers.length === 0 ||
      !specifiers.every((one, at) =>
        uses.onlyHandedOn(locals[at]?.name ?? '', one.type === 'ImportNamespaceSpecifier'),
      )
    )
      return []
    const specifier = (each.source as unknown as { value: string }).value
    const load = `() => import(${JSON.stringify(specifier)})`
    const call = (name: string) => `${laterName}(${load}, ${JSON.stringify(name)})`
    const names: string[] = []
    const funcs: string[] = []
    const note = (name: string, calls: boolean) => {
      names.push(name)
      if (calls) funcs.push(name)
    }
    const stubs = specifiers.map((one, index) => {
      const local = locals[index]?.name ?? ''
      if (one.type === 'ImportNamespaceSpecifier') {
        const members = [...uses.membersOf(local)]
        for (const name of members) note(name, uses.isFunc(`${local}.${name}`))
        return `var ${local} = {${members.map(name => `${JSON.stringify(name)}: ${call(name)}`).join(', ')}};`
      }
      const name = one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported as Any)
      note(name, uses.isFunc(local))
      return `var ${local} = ${call(name)};`
    })
    return [{ from: each.start, to: each.end, stub: stubs.join(' '), specifier, names, funcs }]
  })
}

const nameOf = (node: Any): string => String(node.type === 'Identifier' ? node.name : node.value)

/** Where the names of a program stand. */
class Uses {
  readonly #all = new Map<string, number>()
  readonly #handedOn = new Map<string, number>()
  readonly #membersHandedOn = new Map<string, number>()
  readonly #members = new Map<string, Set<string>>()
  /** Names, and members of names, that stand as `func`. */
  readonly #funcs = new Set<string>()

  constructor(program: Any) {
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

  #walk(node: Any): void {
    if (node.type === 'ImportDeclaration') return
    if (node.type === 'Identifier') count(this.#all, String(node.name))
    if (node.type === 'CallExpression') this.#noteFields(node)
    for (const [key, value] of Object.entries(node)) {
      // Names of members and of fields are no use of what is called the same.
      if ((key === 'property' || key === 'key') && node.computed !== true) continue
      for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) this.#walk(each)
    }
  }

  #noteFields(call: Any): void {
    const called = call.callee as Any
    const [first] = call.arguments as unknown[]
    if (called.type !== 'MemberExpression' || nameOf(called.property as Any) !== 'register') return
    if (!isNode(first) || first.type !== 'ObjectExpression') return
    for (const each of first.properties as Any[]) {
      if (each.type !== 'Property' || each.computed) continue
      const field = nameOf(each.key as Any)
      if (fields.has(field)) this.#noteValue(each.value as Any, field)
    }
  }

  #noteValue(value: Any, field: string): void {
    if (value.type === 'Identifier') {
      const name = String(value.name)
      count(this.#handedOn, name)
      if (field === 'func') this.#funcs.add(name)
    }
    const object = value.object as Any | undefined
    if (value.type !== 'MemberExpression' || value.computed || object?.type !== 'Identifier') return
    const name = String(object.name)
    const member = nameOf(value.property as Any)
    count(this.#membersHandedOn, name)
    this.#members.set(name, (this.#members.get(name) ?? new Set()).add(member))
    if (field === 'func') this.#funcs.add(`${name}.${member}`)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function isNode(value: unknown): value is Any {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

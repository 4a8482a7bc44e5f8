import { isBuiltin } from 'node:module'
import type { CompiledFile } from '../compile.ts'
import { type Effects, Evaluation } from './effects.ts'
import { leavesAsIs } from './known.ts'
import { type Scope, scopeOf } from './scope.ts'
import {
  isClass,
  isFunction,
  isSyntax,
  nameOf,
  type Parsed,
  parseCode,
  partsOf,
  requiredBy,
  type Syntax,
} from './syntax.ts'

/** What a file does when it is loaded, as far as the file itself says. */
export interface Facts {
  /** What its own code does. */
  loading: Effects
  /** What an exported function or class does when another module calls it; null for what is neither. */
  calling(name: string): Effects | null
  /** What its methods do that have names as those of texts and lists, by these names. */
  methods: ReadonlyMap<string, Effects>
  /** What it passes on from another module. */
  passed: ReadonlyMap<string, { specifier: string; name: string }>
  /** What it imports by name, or passes on. */
  named: readonly { specifier: string; name: string }[]
  /** Packages and files that are loaded for what they do: `import 'x'`. */
  bare: readonly string[]
  /** What `require` is given. */
  required: readonly string[]
  /** How it uses the registry of jobs; null when it does not. `other`: not only to call `register`. */
  registry: 'register' | 'other' | null
}

const known = new WeakMap<CompiledFile, Facts>()

/** Remembers what it finds out, for as long as the file is. */
export function factsOf(file: CompiledFile): Facts {
  const found = known.get(file) ?? findFacts(file)
  known.set(file, found)
  return found
}

const anything: Effects = { reads: true, prints: true, writes: true, uses: [] }
const nothing: Effects = { reads: false, prints: false, writes: false, uses: [] }
const none = {
  calling: () => null,
  methods: new Map(),
  passed: new Map(),
  named: [],
  bare: [],
  required: [],
  registry: null,
}

function findFacts({ format, code, esm, errors }: CompiledFile): Facts {
  if (format === 'json' || format === 'text') return { ...none, loading: nothing }
  if (errors.length > 0) return { ...none, loading: anything }
  const text = withoutMap(esm ?? code)
  const type = format === 'commonjs' && !esm ? 'commonjs' : 'module'
  const parsed = parseCode(text, type)
  if (!parsed) return { ...none, loading: anything }
  const program = programIn(parsed)
  const callable = new Set(
    program.exported.filter(each => calledBy(program, each)).map(({ exported }) => exported),
  )
  // Parsed again for the few files whose functions are asked for: what was parsed is much larger than the file.
  let again: Program | null = null
  const calling = (name: string) => {
    if (!callable.has(name)) return null
    again ??= programIn(parseCode(text, type) ?? parsed)
    return callingIn(again, name)
  }
  return { ...factsOfProgram(program, /\brequire\b/.test(text)), calling }
}

/** The map of the source is longer than the code. */
const withoutMap = (code: string) => {
  const at = code.lastIndexOf('\n//# sourceMappingURL=data:')
  return at < 0 ? code : code.slice(0, at)
}

interface Program {
  parsed: Parsed
  statements: readonly Syntax[]
  scope: Scope
  registry: { name: string | null; isOther: boolean }
  exported: readonly Exported[]
}

function programIn(parsed: Parsed): Program {
  const statements = parsed.program.body as Syntax[]
  const registry = registryIn(parsed.program, importsIn(statements))
  return {
    parsed,
    statements,
    scope: scopeOf(parsed.program, null),
    registry,
    exported: exportsIn(statements),
  }
}

const importsIn = (statements: readonly Syntax[]) =>
  statements.filter(each => each.type === 'ImportDeclaration')

function evaluate(
  { parsed, registry: { name } }: Program,
  foreign: boolean,
  work: (evaluation: Evaluation) => void,
): Effects {
  const evaluation = new Evaluation(parsed, { foreign, registry: name })
  work(evaluation)
  return evaluation.effects
}

function callingIn(program: Program, name: string): Effects | null {
  const found = program.exported.find(({ exported }) => exported === name)
  const called = found && calledBy(program, found)
  return called ? evaluate(program, true, each => each.use(called, program.scope)) : null
}

/** The function or class that is exported; null for anything else. */
function calledBy({ scope }: Program, { node, local }: Exported): Syntax | null {
  const binding = local === null ? null : scope.names.get(local)
  return node ?? (binding?.kind === 'function' || binding?.kind === 'class' ? binding.node : null)
}

/** What a program does when it is loaded; `requires` when it may call `require`. */
export function factsIn(parsed: Parsed, requires: boolean): Facts {
  return factsOfProgram(programIn(parsed), requires)
}

function factsOfProgram(program: Program, requires: boolean): Facts {
  const { parsed, statements, scope, registry, exported } = program
  const passed = new Map<string, { specifier: string; name: string }>()
  for (const each of exported) {
    const binding = each.local === null ? null : scope.names.get(each.local)
    if (binding?.kind === 'import') passed.set(each.exported, binding)
  }
  for (const each of statements) {
    if (each.type !== 'ExportNamedDeclaration' || !each.source) continue
    const specifier = String((each.source as Syntax).value)
    for (const one of each.specifiers as Syntax[])
      passed.set(nameOf(one.exported as Syntax), { specifier, name: nameOf(one.local as Syntax) })
  }
  return {
    loading: evaluate(program, false, evaluation => {
      for (const each of statements) evaluation.walk(each, scope)
    }),
    calling: name => callingIn(program, name),
    methods: methodsIn(program),
    passed,
    named: namedIn(statements),
    bare: importsIn(statements)
      .filter(each => (each.specifiers as Syntax[]).length === 0)
      .map(each => String((each.source as Syntax).value))
      .filter(each => !isBuiltin(each)),
    required: requires ? requiredIn(parsed.program).filter(each => !isBuiltin(each)) : [],
    registry: registry.isOther ? 'other' : registry.name === null ? null : 'register',
  }
}

const registryModule = 'longhouse/jobs'

/** The name of the registry, and whether it is used for more than calls of `register`, which may change what these do. */
function registryIn(program: Syntax, imports: readonly Syntax[]): { name: string | null; isOther: boolean } {
  const specifiers = imports
    .filter(each => (each.source as Syntax).value === registryModule)
    .flatMap(each => each.specifiers as Syntax[])
  const [first] = specifiers
  if (!first) return { name: null, isOther: false }
  const isRegistry = first.type === 'ImportSpecifier' && nameOf(first.imported as Syntax) === 'jobRegistry'
  const name = nameOf(first.local as Syntax)
  return { name, isOther: specifiers.length > 1 || !isRegistry || !onlyRegisters(program, name) }
}

function onlyRegisters(node: Syntax, name: string): boolean {
  if (node.type === 'ImportDeclaration') return true
  if (node.type === 'Identifier') return node.name !== name
  if (node.type === 'CallExpression' && isRegister(node.callee as Syntax, name))
    return (node.arguments as Syntax[]).every(each => onlyRegisters(each, name))
  return partsOf(node).every(each => onlyRegisters(each, name))
}

/** `jobRegistry.register`, by the name that the module has for the registry. */
export function isRegister(callee: Syntax, name: string): boolean {
  const object = callee.object as Syntax | undefined
  return (
    callee.type === 'MemberExpression' &&
    callee.computed !== true &&
    object?.type === 'Identifier' &&
    object.name === name &&
    nameOf(callee.property as Syntax) === 'register'
  )
}

/** The registry's name in a module that does nothing with it but register jobs; null in all others. */
export function registryOf(program: Syntax): string | null {
  const { name, isOther } = registryIn(program, importsIn(program.body as Syntax[]))
  return isOther ? null : name
}

/** Methods of classes and objects, wherever they stand, that code which calls them may take for those of a text or list. */
function methodsIn(program: Program): Map<string, Effects> {
  const found = new Map<string, Syntax[]>()
  const note = (name: string, value: Syntax) => {
    if (leavesAsIs(name)) found.set(name, [...(found.get(name) ?? []), value])
  }
  const look = (node: Syntax): void => {
    const { type, computed, key, value, left, right } = node
    if (/^(MethodDefinition|PropertyDefinition|Property)$/.test(type) && computed !== true && isSyntax(value))
      note(nameOf(key as Syntax), value)
    if (
      type === 'AssignmentExpression' &&
      (left as Syntax).type === 'MemberExpression' &&
      !(left as Syntax).computed
    )
      note(nameOf((left as Syntax).property as Syntax), right as Syntax)
    for (const each of partsOf(node)) look(each)
  }
  look(program.parsed.program)
  return new Map(
    [...found].map(([name, values]) => [
      name,
      values.every(isFunction)
        ? evaluate(program, true, each => {
            for (const value of values) each.enterUnseen(value, program.scope)
          })
        : anything,
    ]),
  )
}

function namedIn(statements: readonly Syntax[]): { specifier: string; name: string }[] {
  return statements.flatMap(each => {
    if (!isSyntax(each.source) || !Array.isArray(each.specifiers)) return []
    const specifier = String(each.source.value)
    return (each.specifiers as Syntax[]).flatMap(one => {
      if (one.type === 'ImportDefaultSpecifier') return [{ specifier, name: 'default' }]
      const named =
        one.type === 'ImportSpecifier' ? one.imported : one.type === 'ExportSpecifier' && one.local
      return isSyntax(named) ? [{ specifier, name: nameOf(named) }] : []
    })
  })
}

interface Exported {
  exported: string
  local: string | null
  node: Syntax | null
}

function exportsIn(statements: readonly Syntax[]): Exported[] {
  return statements.flatMap((each): Exported[] => {
    const declaration = each.declaration as Syntax | null | undefined
    if (each.type === 'ExportDefaultDeclaration' && declaration) {
      if (declaration.type === 'Identifier')
        return [{ exported: 'default', local: nameOf(declaration), node: null }]
      const node = isFunction(declaration) || isClass(declaration) ? declaration : null
      return [{ exported: 'default', local: null, node }]
    }
    if (each.type !== 'ExportNamedDeclaration' || each.source) return []
    if (declaration?.type === 'VariableDeclaration')
      return (declaration.declarations as Syntax[]).flatMap(({ id }) =>
        isSyntax(id) && id.type === 'Identifier' ? [named(nameOf(id))] : [],
      )
    if (declaration) return isSyntax(declaration.id) ? [named(nameOf(declaration.id))] : []
    return (each.specifiers as Syntax[]).map(one => ({
      ...named(nameOf(one.local as Syntax)),
      exported: nameOf(one.exported as Syntax),
    }))
  })
}

const named = (name: string): Exported => ({ exported: name, local: name, node: null })

/** Functions may require, too: which of them are called is not asked. */
function requiredIn(node: Syntax): string[] {
  const own = requiredBy(node)
  return [...(own === null ? [] : [own]), ...partsOf(node).flatMap(requiredIn)]
}

import { isBuiltin } from 'node:module'
import { builtinCall, globalCall, isChanger, isHarmless, type Kind, leavesAsIs } from './known.ts'
import { type Binding, bindingOf, type Scope, scopeOf } from './scope.ts'
import {
  isClass,
  isFunction,
  isSyntax,
  nameOf,
  type Parsed,
  partsOf,
  requiredBy,
  type Syntax,
} from './syntax.ts'

/** Something imported that is called: what that does is known where all files are. */
export interface Use {
  specifier: string
  /** The name that the module exports; `*` for all of it. */
  name: string
  /** The members that lead from it to what is called. */
  path: readonly string[]
  /**
   * `method`: of what it made. `callback`: it is handed to a function that may call it. `asIs`: a method of any value,
   * `name`, that leaves it as it is unless the repo has one of that name; `specifier` is empty.
   */
  kind: 'call' | 'new' | 'method' | 'callback' | 'asIs'
  /** What it returns is not used. */
  alone: boolean
}

/** What code does when it is evaluated, as far as others may notice. */
export interface Effects {
  /** It depends on what others may change. */
  reads: boolean
  prints: boolean
  /** It changes, or may change, what others read: the environment, globals, objects of other modules, what is registered. */
  writes: boolean
  uses: Use[]
}

/** Where a value comes from: only this code has it, a module made it, or unknown. */
type Origin = 'own' | 'unknown' | { specifier: string; name: string }

interface Circumstances {
  /** The code is called by another module: what belongs to its own module is then shared. */
  foreign: boolean
  /** The module's name for `jobRegistry`. */
  registry: string | null
}

/** A chain of members and calls, from what it begins with. */
interface Chain {
  base: Syntax
  path: string[]
}

/**
 * Collects what code may do when it is evaluated. Functions count where they are called, or handed to another function.
 * What is not clear counts as changing something.
 */
export class Evaluation {
  readonly effects: Effects
  readonly #pure: ReadonlySet<number>
  readonly #foreign: boolean
  readonly #registry: string | null
  readonly #entered = new Set<Syntax>()
  /** `this` is an object that is being made. */
  #isMaking = false
  /** For code that runs without being called by its name. Who has the object may be anyone. */
  readonly #unseen: Evaluation

  constructor(parsed: Parsed, { foreign, registry }: Circumstances, unseenOf?: Pick<Evaluation, 'effects'>) {
    this.effects = unseenOf?.effects ?? { reads: false, prints: false, writes: false, uses: [] }
    this.#pure = parsed.pure
    this.#foreign = foreign
    this.#registry = registry
    this.#unseen = unseenOf ? this : new Evaluation(parsed, { foreign: true, registry }, this)
  }

  walk(node: Syntax, scope: Scope): void {
    if (isFunction(node)) return
    if (isClass(node)) {
      this.#define(node, scope)
      return
    }
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'MetaProperty':
        return
      case 'ExportNamedDeclaration':
        if (node.declaration) this.walk(node.declaration as Syntax, scope)
        return
      case 'ExpressionStatement':
        this.#statement(node.expression as Syntax, scope)
        return
      case 'VariableDeclaration':
        // What `using` declares is ended by a function of its own.
        if (String(node.kind).endsWith('using')) this.#note('writes')
        for (const each of partsOf(node)) this.walk(each, scope)
        return
      case 'VariableDeclarator':
        this.#pattern(node.id as Syntax, scope)
        if (node.init) this.walk(node.init as Syntax, scope)
        return
      case 'CallExpression':
      case 'NewExpression':
      case 'TaggedTemplateExpression':
        this.#call(node, scope, false)
        return
      case 'AssignmentExpression':
        this.walk(node.right as Syntax, scope)
        // What is kept when it is asked for the first time is the same for all.
        if (!isKept(node)) this.#assign(node.left as Syntax, scope)
        return
      case 'UpdateExpression':
        this.#assign(node.argument as Syntax, scope)
        return
      case 'UnaryExpression':
        if (node.operator === 'delete') {
          this.#assign(node.argument as Syntax, scope)
          return
        }
        this.walk(node.argument as Syntax, scope)
        return
      case 'ForInStatement':
      case 'ForOfStatement':
        if ((node.left as Syntax).type !== 'VariableDeclaration') this.#assign(node.left as Syntax, scope)
        this.walk(node.right as Syntax, scope)
        this.walk(node.body as Syntax, scope)
        return
      case 'CatchClause':
        this.walk(node.body as Syntax, scope)
        return
      case 'ImportExpression':
        this.#note('writes')
        return
      case 'Identifier':
        this.#read(String(node.name), scope)
        return
      case 'Property':
        if (node.computed) this.walk(node.key as Syntax, scope)
        if (runsUnseen(node)) this.enterUnseen(node.value as Syntax, scope)
        else this.walk(node.value as Syntax, scope)
        return
      default:
        for (const part of partsOf(node)) this.walk(part, scope)
    }
  }

  /** What calling a function, or making an object of a class, does. */
  use(node: Syntax, scope: Scope): void {
    if (isClass(node)) this.#construct(node, scope)
    else this.#enter(node, scope)
  }

  /** What a function does that anyone may call who has the object. */
  enterUnseen(node: Syntax, scope: Scope): void {
    if (isFunction(node)) this.#unseen.#enter(node, scope)
    else this.walk(node, scope)
  }

  #note(kind: Kind): void {
    if (kind !== 'nothing') this.effects[kind] = true
  }

  #read(name: string, scope: Scope): void {
    const found = bindingOf(name, scope)
    const isCertain =
      found === null
        ? isHarmless(name)
        : found.binding.kind === 'import'
          ? /^(node:)?(path|url)$/.test(found.binding.specifier)
          : !(found.isOfModule && this.#foreign)
    if (!isCertain) this.#note('reads')
  }

  #statement(expression: Syntax, scope: Scope): void {
    const { type } = expression
    if (type === 'AwaitExpression' || (type === 'UnaryExpression' && expression.operator !== 'delete')) {
      this.#statement(expression.argument as Syntax, scope)
      return
    }
    if (type === 'ChainExpression') {
      this.#statement(expression.expression as Syntax, scope)
      return
    }
    if (type === 'LogicalExpression') {
      this.walk(expression.left as Syntax, scope)
      this.#statement(expression.right as Syntax, scope)
      return
    }
    if (type === 'ConditionalExpression') {
      this.walk(expression.test as Syntax, scope)
      this.#statement(expression.consequent as Syntax, scope)
      this.#statement(expression.alternate as Syntax, scope)
      return
    }
    if (type === 'SequenceExpression') {
      for (const each of expression.expressions as Syntax[]) this.#statement(each, scope)
      return
    }
    if (type === 'CallExpression' || type === 'NewExpression' || type === 'TaggedTemplateExpression')
      this.#call(expression, scope, true)
    else this.walk(expression, scope)
  }

  #pattern(pattern: Syntax | null, scope: Scope): void {
    if (!pattern || pattern.type === 'Identifier') return
    if (pattern.type === 'AssignmentPattern') this.walk(pattern.right as Syntax, scope)
    if (pattern.type === 'Property' && pattern.computed) this.walk(pattern.key as Syntax, scope)
    for (const part of partsOf(pattern)) {
      if (/Pattern$|^Property$|^RestElement$/.test(part.type)) this.#pattern(part, scope)
    }
  }

  #call(node: Syntax, scope: Scope, alone: boolean): Origin {
    const isNew = node.type === 'NewExpression'
    const callee = (node.tag ?? node.callee) as Syntax
    const given = (node.arguments ?? (node.quasi as Syntax).expressions) as Syntax[]
    if (this.#registers(callee)) {
      for (const each of given) this.walk(each, scope)
      return 'unknown'
    }
    const { base, path } = this.#chain(callee, scope)
    const last = path.at(-1) ?? ''
    const isOfObject = base.type === 'Identifier' && /^(Object|Reflect|Proxy)$/.test(String(base.name))
    for (const each of given) {
      if (isOfObject) this.#handMembers(each, scope)
      this.#hand(each, scope, callsBack(last))
    }
    if (this.#pure.has(node.start)) return 'own'
    const specifier = requiredBy(node)
    if (specifier !== null) return { specifier, name: '*' }
    if (base.type === 'Identifier') {
      const name = String(base.name)
      const found = bindingOf(name, scope)
      if (found !== null) return this.#callBound(found, path, { isNew, alone })
      return this.#callGlobal(name, path, given, scope)
    }
    const required = requiredBy(base)
    if (required !== null)
      return this.#callImported({ specifier: required, name: '*' }, path, { isNew, alone })
    if (isCall(base)) return this.#method(this.#call(base, scope, alone && path.length > 0), last, alone)
    if (isFunction(base)) {
      this.#enter(base, scope)
      return 'unknown'
    }
    if (base.type === 'Super') {
      // The constructor of the class above it is looked at with the class.
      if (path.length > 0) this.#note('writes')
      return 'unknown'
    }
    // What it resolves to depends on files only.
    if (base.type === 'MetaProperty') {
      return 'own'
    }
    this.walk(base, scope)
    if (isLiteral(base) && base.type !== 'ObjectExpression' && path.length === 1 && last !== '*') return 'own'
    if (path.length > 0) this.#method('unknown', last, alone)
    else this.#note('writes')
    return 'unknown'
  }

  #registers({ type, object, property, computed }: Syntax): boolean {
    if (type !== 'MemberExpression' || computed || this.#registry === null) return false
    const [registry, member] = [object as Syntax, property as Syntax]
    return registry.type === 'Identifier' && registry.name === this.#registry && nameOf(member) === 'register'
  }

  /** What a function is given, it may call; `calls` when it does. */
  #hand(given: Syntax, scope: Scope, calls: boolean): void {
    if (isFunction(given)) {
      this.#enter(given, scope)
      return
    }
    this.walk(given, scope)
    if (isClass(given)) this.#construct(given, scope)
    const { base, path } = this.#chain(given, scope)
    if (base.type !== 'Identifier') return
    const name = String(base.name)
    const binding = bindingOf(name, scope)?.binding
    if (binding?.kind === 'function' && path.length === 0) this.#enter(binding.node, binding.scope)
    else if (binding?.kind === 'class' && path.length === 0) this.#construct(binding.node, binding.scope)
    else if (binding?.kind === 'import' && !isBuiltin(binding.specifier))
      this.#use({ ...binding, path, kind: 'callback', alone: calls })
    else if (binding && calls) this.#note('writes')
    else if (!binding && (calls || name === 'console')) this.#note(globalCall(name, path))
  }

  /** Functions of an object that become traps of a proxy, or describe members of another object. */
  #handMembers(given: Syntax, scope: Scope): void {
    if (isFunction(given)) this.enterUnseen(given, scope)
    if (given.type !== 'ObjectExpression') return
    for (const each of given.properties as Syntax[])
      if (each.type === 'Property') this.#handMembers(each.value as Syntax, scope)
  }

  #use({ specifier, name, path, kind, alone }: Use): void {
    this.effects.uses.push({ specifier, name, path, kind, alone })
  }

  #chain(callee: Syntax, scope: Scope): Chain {
    const path: string[] = []
    for (let node = callee; ; ) {
      if (node.type === 'MemberExpression') {
        if (node.computed) this.walk(node.property as Syntax, scope)
        path.unshift(node.computed ? '*' : nameOf(node.property as Syntax))
        node = node.object as Syntax
      } else if (node.type === 'ChainExpression' || node.type === 'ParenthesizedExpression') {
        node = node.expression as Syntax
      } else if (node.type === 'AwaitExpression') {
        node = node.argument as Syntax
      } else return { base: node, path }
    }
  }

  #callBound(
    { binding, isOfModule }: { binding: Binding; isOfModule: boolean },
    path: readonly string[],
    how: { isNew: boolean; alone: boolean },
  ): Origin {
    const isShared = isOfModule && this.#foreign
    const last = path.at(-1) ?? ''
    switch (binding.kind) {
      case 'import':
        return this.#callImported(binding, path, how)
      case 'function':
        if (path.length === 0 || /^(call|apply)$/.test(path.join('.')))
          this.#enter(binding.node, binding.scope)
        else if (path.join('.') !== 'bind') this.#method('unknown', last, how.alone)
        return 'unknown'
      case 'class':
        if (path.length === 0) this.#construct(binding.node, binding.scope)
        else this.#callStatic(binding, path)
        return 'unknown'
      case 'own':
        this.#note(path.length === 1 && last !== '*' && (!isShared || leavesAsIs(last)) ? 'reads' : 'writes')
        return 'unknown'
      case 'made':
        if (isShared || (how.alone && path.length !== 1)) this.#note('writes')
        return this.#method(binding, last, how.alone)
      default:
        return this.#method('unknown', last, how.alone)
    }
  }

  #callStatic({ node, scope }: { node: Syntax; scope: Scope }, [name]: readonly string[]): void {
    const found = membersOf(node).find(
      each => each.type === 'MethodDefinition' && each.static === true && nameOf(each.key as Syntax) === name,
    )
    if (found) this.#enter(found.value as Syntax, scope)
    else this.#note('writes')
  }

  #callImported(
    { specifier, name }: { specifier: string; name: string },
    path: readonly string[],
    { isNew, alone }: { isNew: boolean; alone: boolean },
  ): Origin {
    if (isBuiltin(specifier)) {
      this.#note(builtinCall(specifier, name === '*' || name === 'default' ? path : [name, ...path], isNew))
      return 'own'
    }
    this.#use({ specifier, name, path, kind: isNew ? 'new' : 'call', alone })
    return { specifier, name }
  }

  #callGlobal(name: string, path: readonly string[], given: readonly Syntax[], scope: Scope): Origin {
    if (isChanger(name, path)) {
      const [first] = given
      if (first) this.#change({ base: first, path: ['*'] }, scope)
      return 'unknown'
    }
    this.#note(globalCall(name, path))
    if (name === 'process' && path[0] === 'getBuiltinModule') return { specifier: 'node:module', name: '*' }
    return isHarmless(name) ? 'own' : 'unknown'
  }

  /** A method of a value. */
  #method(origin: Origin, method: string, alone: boolean): Origin {
    if (origin === 'own') this.#note('reads')
    else if (origin === 'unknown' && leavesAsIs(method))
      this.#use({ specifier: '', name: method, path: [], kind: 'asIs', alone })
    else if (origin === 'unknown') this.#note('writes')
    else if (isBuiltin(origin.specifier)) this.#note('reads')
    else {
      const { specifier, name } = origin
      this.#use({ specifier, name, path: [method], kind: 'method', alone })
    }
    return origin === 'own' ? 'unknown' : origin
  }

  #enter(node: Syntax, scope: Scope): void {
    if (this.#entered.has(node)) return
    this.#entered.add(node)
    const own = scopeOf(node, scope)
    for (const each of node.params as Syntax[]) this.#pattern(each, own)
    this.walk(node.body as Syntax, own)
  }

  #define(node: Syntax, scope: Scope): void {
    if (node.superClass) this.walk(node.superClass as Syntax, scope)
    for (const each of membersOf(node)) {
      if (each.computed) this.walk(each.key as Syntax, scope)
      if (each.static && runsUnseen(each)) this.enterUnseen(each.value as Syntax, scope)
      if (each.type === 'StaticBlock') this.#enter({ ...each, params: [], body: block(each) }, scope)
      else if (each.type === 'PropertyDefinition' && each.static && isSyntax(each.value))
        this.walk(each.value, scope)
    }
  }

  #construct(node: Syntax, scope: Scope): void {
    if (this.#entered.has(node)) return
    this.#entered.add(node)
    const before = this.#isMaking
    this.#isMaking = true
    this.#make(node, scope)
    this.#isMaking = before
  }

  #make(node: Syntax, scope: Scope): void {
    if (node.superClass) this.#constructAbove(node.superClass as Syntax, scope)
    for (const each of membersOf(node)) {
      if (each.kind === 'constructor') this.#enter(each.value as Syntax, scope)
      if (!each.static && runsUnseen(each)) this.enterUnseen(each.value as Syntax, scope)
      if (each.type === 'PropertyDefinition' && !each.static && isSyntax(each.value))
        this.walk(each.value, scope)
    }
  }

  #constructAbove(node: Syntax, scope: Scope): void {
    const { base, path } = this.#chain(node, scope)
    const name = base.type === 'Identifier' ? String(base.name) : ''
    const found = bindingOf(name, scope)
    if (found) this.#callBound(found, path, { isNew: true, alone: false })
    else this.#note(isHarmless(name) ? 'nothing' : 'writes')
  }

  #assign(target: Syntax, scope: Scope): void {
    if (target.type === 'Identifier') {
      const found = bindingOf(String(target.name), scope)
      if (found === null || (found.isOfModule && this.#foreign)) this.#note('writes')
    } else if (target.type === 'MemberExpression' || target.type === 'ChainExpression') {
      this.#change(this.#chain(target, scope), scope)
    } else if (target.type === 'AssignmentPattern') {
      this.walk(target.right as Syntax, scope)
      this.#assign(target.left as Syntax, scope)
    } else if (target.type === 'Property') this.#assign(target.value as Syntax, scope)
    else for (const part of partsOf(target)) this.#assign(part, scope)
  }

  /** A change of a member. */
  #change({ base, path }: Chain, scope: Scope): void {
    if (base.type === 'ThisExpression' && this.#unseen === this && !this.#isMaking) this.#note('writes')
    if (base.type === 'ThisExpression' || isLiteral(base) || isFunction(base) || isClass(base)) return
    if (base.type !== 'Identifier') {
      this.#note('writes')
      return
    }
    const name = String(base.name)
    const found = bindingOf(name, scope)
    if (found === null) {
      if (name !== 'module' && name !== 'exports') this.#note('writes')
      return
    }
    const { binding, isOfModule } = found
    const isShared = isOfModule && this.#foreign
    if (!isShared && (binding.kind === 'function' || binding.kind === 'class')) return
    if (!isShared && (binding.kind === 'own' || binding.kind === 'plain') && path.length === 1) return
    if (!isShared && binding.kind === 'made') this.#method(binding, '=', false)
    else this.#note('writes')
  }
}

/** Methods that call what they are given. */
const callsBack = (method: string) =>
  /^(map|filter|forEach|flatMap|find\w*|some|every|reduce\w*|sort|toSorted|then|catch|finally|replace|replaceAll|from|call|apply)$/.test(
    method,
  )

/**
 * A member that runs without being called by its name: it is got and set as a field, or found by a protocol of the
 * language, as for iterating or for making a text.
 */
function runsUnseen({ kind, computed, key, value, method }: Syntax): boolean {
  if (kind === 'get' || kind === 'set') return true
  if (kind !== 'method' && kind !== 'init' && !method) return false
  return (
    isFunction(value as Syntax) &&
    (computed === true || /^(toString|valueOf|toJSON|then)$/.test(nameOf(key as Syntax)))
  )
}

/** `this.a ??= b` */
const isKept = ({ operator, left }: Syntax) => {
  const { type, object } = left as Syntax
  return operator === '??=' && type === 'MemberExpression' && (object as Syntax).type === 'ThisExpression'
}

const membersOf = (node: Syntax) => (node.body as Syntax).body as Syntax[]

const block = ({ body, start, end }: Syntax): Syntax =>
  ({ type: 'BlockStatement', body, start, end }) as Syntax

const isCall = ({ type }: Syntax) =>
  type === 'CallExpression' || type === 'NewExpression' || type === 'TaggedTemplateExpression'

const isLiteral = ({ type }: Syntax) =>
  /^(Literal|TemplateLiteral|ArrayExpression|ObjectExpression)$/.test(type)

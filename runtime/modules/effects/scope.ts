import { isBuiltin } from 'node:module'
import { isHarmless } from './known.ts'
import { isClass, isFunction, isSyntax, nameOf, namesIn, partsOf, requiredBy, type Syntax } from './syntax.ts'

/** What a name stands for. */
export type Binding =
  | { kind: 'import'; specifier: string; name: string }
  | { kind: 'function' | 'class'; node: Syntax; scope: Scope }
  /** A list, a map or the like that only this code has. */
  | { kind: 'own' }
  /** An object that only this code has; its functions may be any. */
  | { kind: 'plain' }
  /** What something imported made for this code. */
  | { kind: 'made'; specifier: string; name: string }
  | { kind: 'value' }

export interface Scope {
  names: Map<string, Binding>
  up: Scope | null
}

/** The scope of a program, or of a function or block of one. Names of blocks count for the whole function. */
export function scopeOf(node: Syntax, up: Scope | null): Scope {
  const scope: Scope = { names: new Map(), up }
  for (const each of (node.params ?? []) as Syntax[])
    for (const name of namesIn(each)) scope.names.set(name, { kind: 'value' })
  for (const each of bodyOf(node)) declare(each, scope)
  if (up === null) scope.names.delete('require')
  return scope
}

/** What a name stands for, and whether it is one of the module's own; null for a global. */
export function bindingOf(name: string, scope: Scope): { binding: Binding; isOfModule: boolean } | null {
  for (let each: Scope | null = scope; each; each = each.up) {
    const binding = each.names.get(name)
    if (binding) return { binding, isOfModule: each.up === null }
  }
  return null
}

function bodyOf({ body }: Syntax): Syntax[] {
  if (Array.isArray(body)) return body
  const inner = body as Syntax
  return inner.type === 'BlockStatement' ? (inner.body as Syntax[]) : []
}

function declare(node: Syntax, scope: Scope): void {
  if (node.type === 'ImportDeclaration') {
    declareImports(node, scope)
    return
  }
  if (node.type === 'VariableDeclaration') {
    for (const each of node.declarations as Syntax[])
      declareVariable(each, scope, node.kind === 'const' || node.kind === 'using')
  }
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') {
    const kind = isClass(node) ? 'class' : 'function'
    if (isSyntax(node.id)) put(scope, nameOf(node.id), { kind, node, scope })
    return
  }
  if (node.type === 'CatchClause')
    for (const name of namesIn(node.param as Syntax | null)) put(scope, name, { kind: 'value' })
  for (const part of partsOf(node)) if (!isInner(part)) declare(part, scope)
}

/** What declares names of its own; a declaration also declares its own name here. */
const isInner = (part: Syntax) =>
  (isFunction(part) && part.type !== 'FunctionDeclaration') || part.type === 'ClassExpression'

/** A name that is declared twice, in blocks, may be either. */
function put({ names }: Scope, name: string, binding: Binding): void {
  names.set(name, names.has(name) ? { kind: 'value' } : binding)
}

function declareImports(node: Syntax, scope: Scope): void {
  const specifier = String((node.source as Syntax).value)
  for (const each of node.specifiers as Syntax[]) {
    const imported =
      each.type === 'ImportNamespaceSpecifier'
        ? '*'
        : each.type === 'ImportDefaultSpecifier'
          ? 'default'
          : nameOf(each.imported as Syntax)
    put(scope, nameOf(each.local as Syntax), { kind: 'import', specifier, name: imported })
  }
}

function declareVariable({ id, init }: Syntax, scope: Scope, isConstant: boolean): void {
  const pattern = id as Syntax
  const value = init as Syntax | null
  const specifier = value && requiredBy(value)
  if (specifier && pattern.type === 'ObjectPattern') {
    for (const each of pattern.properties as Syntax[]) {
      const name = each.type === 'Property' && !each.computed ? nameOf(each.key as Syntax) : '*'
      for (const local of namesIn((each.type === 'Property' ? each.value : each) as Syntax))
        put(scope, local, { kind: 'import', specifier, name })
    }
  } else if (pattern.type !== 'Identifier' || !value) {
    for (const name of namesIn(pattern)) put(scope, name, { kind: 'value' })
  } else {
    put(scope, nameOf(pattern), isConstant ? bindingOfValue(value, scope) : { kind: 'value' })
  }
}

function bindingOfValue(value: Syntax, scope: Scope): Binding {
  if (isFunction(value)) return { kind: 'function', node: value, scope }
  if (isClass(value)) return { kind: 'class', node: value, scope }
  if (value.type === 'ArrayExpression') return { kind: 'own' }
  if (value.type === 'ObjectExpression') return { kind: 'plain' }
  const specifier = requiredBy(value)
  if (specifier !== null) return { kind: 'import', specifier, name: '*' }
  return madeBy(value, scope)
}

/** Objects of these classes change what they are made of. */
const isView = (name: string) => /^(Proxy|WeakRef|Object|DataView|\w+Array)$/.test(name)

/** What an expression makes by calling something that is imported or built in. */
function madeBy(value: Syntax, scope: Scope): Binding {
  let node = value
  let isCalled = false
  for (;;) {
    if (node.type === 'CallExpression' || node.type === 'NewExpression') {
      isCalled = true
      node = node.callee as Syntax
    } else if (node.type === 'MemberExpression') node = node.object as Syntax
    else if (node.type === 'AwaitExpression') node = node.argument as Syntax
    else if (node.type === 'ChainExpression') node = node.expression as Syntax
    else break
  }
  if (!isCalled || node.type !== 'Identifier') return { kind: 'value' }
  const name = nameOf(node)
  const found = bindingOf(name, scope)
  if (found === null)
    return value.type === 'NewExpression' && isHarmless(name) && !isView(name)
      ? { kind: 'own' }
      : { kind: 'value' }
  if (found.binding.kind !== 'import') return { kind: 'value' }
  const { specifier, name: imported } = found.binding
  return isBuiltin(specifier) ? { kind: 'own' } : { kind: 'made', specifier, name: imported }
}

import { type Comment, type Node, parse } from 'acorn'

export type Syntax = Node & Record<string, unknown>

export interface Parsed {
  program: Syntax
  /** Where calls begin that are marked as pure, as esbuild marks the ones that it writes. */
  pure: ReadonlySet<number>
}

/** Null for what does not parse, such as a name that is imported twice: esbuild lets it through, and Node says where it is. */
export function parseCode(code: string, sourceType: 'module' | 'commonjs'): Parsed | null {
  const comments: Comment[] = []
  try {
    const program = parse(code, {
      ecmaVersion: 'latest',
      sourceType: sourceType === 'module' ? 'module' : 'script',
      allowReturnOutsideFunction: sourceType === 'commonjs',
      allowHashBang: true,
      onComment: comments,
    }) as unknown as Syntax
    const marks = comments.filter(({ value }) => /^[\s*]*[@#]__PURE__\s*$/.test(value))
    const pure = marks.map(({ end }) => end + (/^\s*/.exec(code.slice(end, end + 200))?.[0].length ?? 0))
    return { program, pure: new Set(pure) }
  } catch {
    return null
  }
}

export function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** What a node consists of, without names of members, fields and labels, which are no use of what is called the same. */
export function partsOf(node: Syntax): Syntax[] {
  return Object.entries(node).flatMap(([key, value]) => {
    if ((key === 'property' || key === 'key') && node.computed !== true) return []
    if (key === 'label') return []
    return (Array.isArray(value) ? value : [value]).filter(isSyntax)
  })
}

export const nameOf = (node: Syntax): string => String(node.type === 'Identifier' ? node.name : node.value)

export const isFunction = ({ type }: Syntax) =>
  type === 'FunctionExpression' || type === 'ArrowFunctionExpression' || type === 'FunctionDeclaration'

export const isClass = ({ type }: Syntax) => type === 'ClassExpression' || type === 'ClassDeclaration'

/** The names that a pattern declares. */
export function namesIn(pattern: Syntax | null): string[] {
  if (!pattern) return []
  if (pattern.type === 'Identifier') return [String(pattern.name)]
  if (pattern.type === 'AssignmentPattern') return namesIn(pattern.left as Syntax)
  if (pattern.type === 'RestElement') return namesIn(pattern.argument as Syntax)
  if (pattern.type === 'ArrayPattern') return (pattern.elements as (Syntax | null)[]).flatMap(namesIn)
  if (pattern.type !== 'ObjectPattern') return []
  return (pattern.properties as Syntax[]).flatMap(each =>
    namesIn((each.type === 'Property' ? each.value : each) as Syntax),
  )
}

/** The specifier of `require('…')`; null for anything else. */
export function requiredBy(node: Syntax): string | null {
  if (node.type !== 'CallExpression') return null
  const callee = node.callee as Syntax
  const [name] = node.arguments as Syntax[]
  if (callee.type !== 'Identifier' || callee.name !== 'require') return null
  return name?.type === 'Literal' && typeof name.value === 'string' ? name.value : null
}

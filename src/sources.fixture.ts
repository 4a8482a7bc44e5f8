import { join, relative } from 'node:path'
import * as ast from 'typescript/unstable/ast'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'

/** What one file of a project says, as TypeScript's own parser reads it. */
export interface Source {
  /** Its path from the project's folder. */
  file: string
  imports: readonly Import[]
  /** The values that it declares and exports: no types, and nothing that it passes on. */
  exports: readonly string[]
  /** The names that it uses; properties after a dot are not names. */
  names: ReadonlySet<string>
}

export interface Import {
  /** As it is written; null when it is computed, and can be anything. */
  specifier: string | null
  /** Only types: gone when the program runs. */
  typeOnly: boolean
  /** `export … from` */
  passedOn: boolean
  /** What it takes, by its name in the other file; `*` is everything. */
  taken: readonly string[]
}

/** Reads every file of the TypeScript project in a folder. `files`, by their paths, stand in for the disk. */
export function readSources(folder: string, files?: Readonly<Record<string, string>>): Source[] {
  const api = new API({ cwd: folder, ...(files && { fs: createVirtualFileSystem({ ...files }) }) })
  try {
    const config = join(folder, 'tsconfig.json')
    using snapshot = api.updateSnapshot({ openProject: config })
    const project = snapshot.getProject(config)
    if (!project) throw new Error(`${config} is not there`)
    return project.rootFiles.map(path => {
      const source = project.program.getSourceFile(path)
      if (!source) throw new Error(`${path} cannot be read`)
      return { file: relative(folder, path), ...contentOf(source) }
    })
  } finally {
    api.close()
  }
}

function contentOf(source: ast.SourceFile): Omit<Source, 'file'> {
  const imports: Import[] = []
  const names = new Set<string>()
  const walk = (node: ast.Node): void => {
    const found = importOf(node)
    if (found) imports.push(found)
    if (ast.isIdentifier(node) && !isProperty(node)) names.add(node.text)
    node.forEachChild(walk)
  }
  walk(source)
  return { imports, exports: source.statements.flatMap(exportsOf), names }
}

function importOf(node: ast.Node): Import | null {
  const everything = { typeOnly: false, passedOn: false, taken: ['*'] }
  if (ast.isImportDeclaration(node)) {
    return { specifier: textOf(node.moduleSpecifier), passedOn: false, ...takenBy(node.importClause) }
  }
  if (ast.isExportDeclaration(node) && node.moduleSpecifier) {
    const bindings = node.exportClause
    const named = bindings && ast.isNamedExports(bindings) ? bindings.elements : null
    return {
      specifier: textOf(node.moduleSpecifier),
      typeOnly: node.isTypeOnly || (named?.length ? named.every(({ isTypeOnly }) => isTypeOnly) : false),
      passedOn: true,
      taken: named?.map(nameIn) ?? ['*'],
    }
  }
  if (ast.isExternalModuleReference(node)) return { ...everything, specifier: textOf(node.expression) }
  if (ast.isImportTypeNode(node)) {
    const { argument } = node
    const specifier = ast.isLiteralTypeNode(argument) ? textOf(argument.literal) : null
    return { ...everything, specifier, typeOnly: true }
  }
  if (ast.isCallExpression(node) && loads(node.expression)) {
    const [argument] = node.arguments
    return { ...everything, specifier: argument ? textOf(argument) : null }
  }
  return null
}

/** `import(…)`, `require(…)`, `process.getBuiltinModule(…)` */
function loads(called: ast.Node): boolean {
  if (called.kind === ast.SyntaxKind.ImportKeyword) return true
  if (ast.isPropertyAccessExpression(called)) return called.name.text === 'getBuiltinModule'
  return ast.isIdentifier(called) && called.text === 'require'
}

function takenBy(clause: ast.ImportClause | undefined): Pick<Import, 'typeOnly' | 'taken'> {
  if (!clause) return { typeOnly: false, taken: [] }
  const typeOnly = clause.phaseModifier === ast.SyntaxKind.TypeKeyword
  const taken = clause.name ? ['default'] : []
  const bindings = clause.namedBindings
  if (!bindings) return { typeOnly, taken }
  if (!ast.isNamedImports(bindings)) return { typeOnly, taken: [...taken, '*'] }
  const { elements } = bindings
  const onlyTypes = !clause.name && elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly)
  return { typeOnly: typeOnly || onlyTypes, taken: [...taken, ...elements.map(nameIn)] }
}

/** The name in the other file. */
function nameIn({ propertyName, name }: ast.ImportSpecifier | ast.ExportSpecifier): string {
  return (propertyName ?? name).text
}

/** The text of a string, or of a template without holes. */
function textOf(node: ast.Node): string | null {
  return ast.isStringLiteral(node) || ast.isNoSubstitutionTemplateLiteral(node) ? node.text : null
}

function isProperty(node: ast.Node): boolean {
  const { parent } = node
  return ast.isPropertyAccessExpression(parent) && parent.name === node
}

function exportsOf(statement: ast.Statement): string[] {
  if (ast.isExportDeclaration(statement)) {
    if (statement.moduleSpecifier || statement.isTypeOnly || !statement.exportClause) return []
    if (!ast.isNamedExports(statement.exportClause)) return []
    return statement.exportClause.elements.flatMap(each => (each.isTypeOnly ? [] : [each.name.text]))
  }
  if (ast.isVariableStatement(statement)) {
    if (!isExported(statement)) return []
    return statement.declarationList.declarations.flatMap(({ name }) => boundBy(name))
  }
  if (ast.isFunctionDeclaration(statement) || ast.isClassDeclaration(statement))
    return isExported(statement) && statement.name ? [statement.name.text] : []
  return []
}

function isExported(statement: { modifierFlags: ast.ModifierFlags }): boolean {
  return (
    (statement.modifierFlags & (ast.ModifierFlags.Export | ast.ModifierFlags.Default)) ===
    ast.ModifierFlags.Export
  )
}

function boundBy(name: ast.BindingName): string[] {
  if (ast.isIdentifier(name)) return [name.text]
  return [...name.elements].flatMap(element =>
    'name' in element && element.name ? boundBy(element.name) : [],
  )
}

export const isTest = (file: string) => /\.test\.tsx?$/.test(file)

/** What only tests use, and fixtures: they stand beside their tests, or in `src/testing` when several rooms use them. */
export const isFixture = (file: string) => /\.fixture\.tsx?$/.test(file) || file.startsWith('src/testing/')

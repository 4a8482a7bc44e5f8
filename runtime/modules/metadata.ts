import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'
import { parseTsconfig } from 'get-tsconfig'
import { nearest } from './aliases.ts'

type Options = Record<string, unknown>

interface Host {
  getSourceFile(file: string, ...rest: unknown[]): unknown
  readFile(file: string): string | undefined
}

interface Program {
  getSourceFile(file: string): object | undefined
  getSyntacticDiagnostics(source: object): readonly unknown[]
  emit(source: object, write: (file: string, text: string) => void): void
}

/** What is used of the `typescript` package of the repo. */
interface TypeScript {
  createProgram?(files: readonly string[], options: Options, host: Host): Program
  createCompilerHost(options: Options): Host
  createSourceFile(file: string, text: string, version: unknown): unknown
  readConfigFile(file: string, read: (file: string) => string | undefined): { config?: unknown }
  parseJsonConfigFileContent(config: unknown, system: unknown, folder: string): { options: Options }
  sys: { readFile(file: string): string | undefined }
}

export interface Metadata {
  /** Compiles the files with metadata before esbuild sees them. */
  plugins: Plugin[]
  /** The files that have some. */
  made: ReadonlySet<string>
  /** Files whose metadata cannot be made, with the line of their first decorator. */
  lacking: ReadonlyMap<string, number>
}

const none: Metadata = { plugins: [], made: new Set(), lacking: new Map() }

const older = /^es(3|5|6|20(1\d|2[01]))$/i

/**
 * Types of what is decorated, as `emitDecoratorMetadata` has them written into the code for `reflect-metadata`. esbuild
 * makes none, and tsx drops them silently; TypeScript itself does when the repo has it.
 */
export function withMetadata(
  repo: string,
  paths: readonly string[],
  read: (path: string) => string,
): Metadata {
  const settings = settingsOf(repo)
  const asked = new Map(
    paths.flatMap(path => {
      const fields = /\.([cm]?ts|tsx)$/.test(path) ? settings(dirname(path)) : null
      const line = fields === null ? 0 : firstDecorator(read(path))
      return fields !== null && line > 0 ? [[path, { ...fields, line }] as const] : []
    }),
  )
  if (asked.size === 0 || !existsSync(join(repo, 'node_modules/reflect-metadata'))) return none
  const typescript = typescriptOf(repo)
  if (!typescript) return { ...none, lacking: new Map([...asked].map(([path, { line }]) => [path, line])) }
  const compiled = new Map<string, string>()
  for (const [own, group] of Map.groupBy(asked, ([, fields]) => fields.own)) {
    const files = group.map(([path]) => path)
    for (const [path, text] of compileWith(typescript, { repo, own, files, read })) compiled.set(path, text)
  }
  const plugin: Plugin = {
    name: 'metadata',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.([cm]?ts|tsx)$/, namespace: 'file' }, ({ path: file }) => {
        const contents = compiled.get(file.slice(repo.length + 1))
        if (contents === undefined) return undefined
        return { contents, loader: file.endsWith('x') ? 'jsx' : 'js', resolveDir: dirname(file) }
      })
    },
  }
  return { plugins: [plugin], made: new Set(compiled.keys()), lacking: new Map() }
}

/**
 * With all types at hand, for what a name stands for in another file decides what is written. What TypeScript cannot read
 * is left out: esbuild says what is wrong with it.
 */
function compileWith(
  typescript: Required<TypeScript>,
  { repo, own, files, read }: { repo: string; own: string; files: string[]; read: (path: string) => string },
): Map<string, string> {
  const { sys } = typescript
  const { config } = typescript.readConfigFile(join(repo, own, 'tsconfig.json'), file => sys.readFile(file))
  const given = typescript.parseJsonConfigFileContent(config, sys, join(repo, own)).options
  const { define } = settingsOf(repo)(own) ?? { define: true }
  const options = { ...given, ...written, useDefineForClassFields: define }
  const host = typescript.createCompilerHost(options)
  const { getSourceFile } = host
  const wanted = new Set(files.map(path => join(repo, path)))
  host.getSourceFile = (file, version, ...rest) =>
    wanted.has(file)
      ? typescript.createSourceFile(file, read(file.slice(repo.length + 1)), version)
      : getSourceFile.call(host, file, version, ...rest)
  const program = typescript.createProgram([...wanted], options, host)
  const compiled = new Map<string, string>()
  for (const file of wanted) {
    const source = program.getSourceFile(file)
    if (!source || program.getSyntacticDiagnostics(source).length > 0) continue
    program.emit(source, (_name, text) => compiled.set(file.slice(repo.length + 1), text))
  }
  return compiled
}

/** In TypeScript's numbers: the newest JavaScript, in modules as they were written, with JSX left to esbuild. */
const written: Options = {
  ...{ target: 99, module: 99, moduleResolution: 100, jsx: 1 },
  ...{
    noEmit: false,
    noCheck: true,
    skipLibCheck: true,
    allowJs: false,
    composite: false,
    incremental: false,
  },
  ...{ declaration: false, declarationMap: false, emitDeclarationOnly: false, removeComments: false },
  ...{
    sourceMap: false,
    inlineSourceMap: true,
    outDir: undefined,
    outFile: undefined,
    tsBuildInfoFile: undefined,
  },
}

interface Settings {
  /** The folder of the `tsconfig.json`. */
  own: string
  /** Fields of classes are defined, and not assigned. */
  define: boolean
}

/** Null for folders whose `tsconfig.json` asks for no metadata. */
function settingsOf(repo: string): (folder: string) => Settings | null {
  const cache = new Map()
  const known = new Map<string, Settings | null>()
  return folder => {
    const own = nearest(repo, folder)
    if (own === null) return null
    const found = known.get(own)
    if (found !== undefined) return found
    const options = compilerOptions(join(repo, own, 'tsconfig.json'), cache)
    const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields, target } = options
    const define = useDefineForClassFields ?? !older.test(String(target))
    const asks = experimentalDecorators === true && emitDecoratorMetadata === true
    known.set(own, asks ? { own, define } : null)
    return asks ? { own, define } : null
  }
}

/** None where it cannot be read: the compile says why. */
function compilerOptions(file: string, cache: Map<string, string>) {
  try {
    return parseTsconfig(file, cache).compilerOptions ?? {}
  } catch {
    return {}
  }
}

/** The line of the first decorator, from 1 on; 0 when there is none. */
function firstDecorator(source: string): number {
  if (!source.includes('@')) return 0
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, comment => comment.replace(/[^\n]/g, ' '))
  const at = code.search(/(?:^|[;{}(,)])[ \t]*@[A-Za-z_$]/m)
  return at < 0 ? 0 : code.slice(0, code.indexOf('@', at)).split('\n').length
}

/** The compiler that the repo has installed; from version 7 on, it offers none to other programs. */
function typescriptOf(repo: string): Required<TypeScript> | null {
  try {
    const typescript = createRequire(join(repo, 'manifest.ts'))('typescript') as TypeScript
    return typescript.createProgram ? (typescript as Required<TypeScript>) : null
  } catch {
    return null
  }
}

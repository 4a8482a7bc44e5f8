import { dirname, extname, join } from 'node:path'
import {
  type BuildFailure,
  type BuildOptions,
  type BuildResult,
  build,
  type Message,
  type Plugin,
} from 'esbuild'
import { readRegular } from '../../src/storage/regular-file.ts'
import type { ModuleFormat } from './build.ts'

/** A file as Node loads it. */
export interface CompiledFile {
  path: string
  format: ModuleFormat
  code: string
  /** The same as a module, where it became CommonJS. */
  esm?: string
  /** What it imports by name, dynamic imports of a constant name included. */
  imports: readonly string[]
  /** Those of its imports that stand in `import()` only: they are looked for when it is called. */
  later?: readonly string[]
  /** Those of its imports that stand for a file's text: of `.txt`, or with `{ type: 'text' }`. */
  texts?: readonly string[]
  /** The names that it exports; null when they are not known. */
  exports: readonly string[] | null
  /** It was a module with a default export, and became CommonJS. */
  hasDefault?: boolean
  /** Why it does not compile; then there is no code. */
  errors: readonly Message[]
}

/** What the compiler reads a file from; from the disk where it is left out. */
export interface Source {
  read(path: string): string
  plugins: Plugin[]
  /** Files whose classes are looked at by name. */
  named?: ReadonlySet<string>
}

type Together = BuildResult<BuildOptions & { write: false; metafile: true }>

const largestSettings = 1024 * 1024

/** What Node cannot load as it is. */
const translated = /\.([cm]?ts|[jt]sx)$/

/**
 * Compiles each file by itself, as `tsx` does: `tsconfig.json` counts, and a source map in the code keeps the lines. The
 * steps: 1. JSON is taken as it is. 2. The rest is compiled together; files that do not compile are put aside with their
 * errors, and the others are compiled again. 3. JavaScript that Node can load stays as it was written. 4. TypeScript with
 * `import` in a package that does not say that it consists of modules becomes CommonJS, as in `tsx`, unless only a module
 * can hold it.
 */
export async function compileFiles(
  repo: string,
  paths: readonly string[],
  source: Source,
): Promise<CompiledFile[]> {
  const typeOf = packageTypes(repo)
  const done = paths.filter(isJson).map(path => json(path, source.read(path)))
  const { outputs, failed } = await compileBoth(
    repo,
    paths.filter(path => !isJson(path)),
    source,
  )
  done.push(...failed)
  const asCommonJs = outputs.filter(each => each.esm && mayBeCommonJs(each, typeOf(each.path)))
  const converted = await compileBoth(
    repo,
    asCommonJs.map(each => each.path),
    source,
    'cjs',
  )
  const commonJs = new Map(converted.outputs.map(each => [each.path, each]))
  for (const output of outputs) {
    const { path, imports, later, texts, exports } = output
    const cjs = commonJs.get(path)
    const format = cjs ? 'commonjs' : formatOf(output, typeOf(path))
    const code = cjs?.code ?? (translated.test(path) ? output.code : source.read(path))
    const hasDefault = cjs !== undefined && exports.includes('default') && !path.endsWith('.cts')
    done.push({
      ...{ path, format, code: withGlobals(code, format), imports, later, texts, exports, hasDefault },
      ...(cjs && { esm: output.code }),
      errors: [],
    })
  }
  return done
}

interface Output {
  path: string
  code: string
  imports: string[]
  later: string[]
  texts: string[]
  exports: string[]
  /** It has `import`, `export`, `import.meta` or `await` at the top level. */
  esm: boolean
}

const isJson = (path: string) => path.endsWith('.json')

function json(path: string, code: string): CompiledFile {
  return { path, format: 'json', code, imports: [], exports: null, errors: jsonErrors(path, code) }
}

function jsonErrors(path: string, code: string): Message[] {
  try {
    JSON.parse(code)
    return []
  } catch (error) {
    const location = {
      file: path,
      namespace: '',
      line: 1,
      column: 0,
      length: 0,
      lineText: '',
      suggestion: '',
    }
    const text = `is not valid JSON: ${(error as Error).message}`
    return [{ id: '', pluginName: '', text, location, notes: [], detail: undefined }]
  }
}

/** With helpers that keep names only where a file asks for them: functions are handed to browsers as text, too. */
async function compileBoth(repo: string, paths: readonly string[], source: Source, format?: 'cjs') {
  const { plugins, named = new Set() } = source
  const plain = await compileTogether(
    repo,
    paths.filter(path => !named.has(path)),
    { plugins },
    format,
  )
  // Decorators rename a class while it is made.
  const renamed = new Set(
    plain.outputs.filter(({ code }) => /= class _\w/.test(code)).map(({ path }) => path),
  )
  const some = await compileTogether(
    repo,
    paths.filter(path => named.has(path) || renamed.has(path)),
    { plugins, keepNames: true },
    format,
  )
  const others = { ...plain, outputs: plain.outputs.filter(({ path }) => !renamed.has(path)) }
  return { outputs: [...others.outputs, ...some.outputs], failed: [...others.failed, ...some.failed] }
}

type Options = Pick<BuildOptions, 'plugins' | 'keepNames'>

interface Compiled {
  outputs: Output[]
  failed: CompiledFile[]
}

/** To esbuild, files whose names differ in their case only are one: they go to different builds. */
async function compileTogether(
  repo: string,
  paths: readonly string[],
  options: Options,
  format?: 'cjs',
): Promise<Compiled> {
  const taken = new Map<string, number>()
  const rounds = Map.groupBy(paths, path => {
    const round = taken.get(path.toLowerCase()) ?? 0
    taken.set(path.toLowerCase(), round + 1)
    return round
  })
  const compiled = await Promise.all(
    [...rounds.values()].map(each => compileDifferent(repo, each, options, format)),
  )
  return { outputs: compiled.flatMap(each => each.outputs), failed: compiled.flatMap(each => each.failed) }
}

async function compileDifferent(
  repo: string,
  paths: readonly string[],
  options: Options,
  format?: 'cjs',
): Promise<Compiled> {
  const failed: CompiledFile[] = []
  for (let left = [...paths]; left.length > 0; ) {
    const result = await build({
      absWorkingDir: repo,
      // By their whole names: two that differ in their endings stay two.
      entryPoints: left.map(path => ({ in: join(repo, path), out: path })),
      outdir: repo,
      write: false,
      metafile: true,
      bundle: false,
      ...(format ? { format } : {}),
      platform: 'node',
      target: 'node26',
      sourcemap: 'inline',
      sourcesContent: false,
      ...options,
      logLevel: 'silent',
    }).catch((error: BuildFailure) => error)
    if ('outputFiles' in result) return { outputs: outputsOf(repo, result as Together), failed }
    const errors = Map.groupBy(result.errors ?? [], ({ location }) => location?.file ?? '')
    const faulty = left.filter(path => errors.has(path))
    if (faulty.length === 0) throw result
    for (const path of faulty) {
      failed.push({
        path,
        format: 'module',
        code: '',
        imports: [],
        exports: null,
        errors: errors.get(path) ?? [],
      })
    }
    left = left.filter(path => !errors.has(path))
  }
  return { outputs: [], failed }
}

/** As esbuild prints it; its list of imports has no attributes. */
const textImport = /["'`]([^"'`\n]+)["'`]\s*(?:with|,\s*\{\s*with:)\s*\{\s*type:\s*["'`]text["'`]/g

function outputsOf(repo: string, { outputFiles, metafile }: Together): Output[] {
  const code = new Map(outputFiles.map(file => [file.path.slice(repo.length + 1), file.text]))
  return Object.entries(metafile.outputs).flatMap(([name, { entryPoint, imports, exports }]) => {
    const text = code.get(name)
    if (entryPoint === undefined || text === undefined) return []
    const path = name.replace(/\.js$/, '')
    const esm =
      exports.length > 0 ||
      imports.some(each => each.kind === 'import-statement') ||
      metafile.inputs[entryPoint]?.format === 'esm'
    const asText = new Set([...text.matchAll(textImport)].map(match => match[1]))
    const texts = imports.filter(each => asText.has(each.path) || /\.txt([?#]|$)/.test(each.path))
    const first = new Set(imports.filter(each => each.kind !== 'dynamic-import').map(each => each.path))
    return [
      {
        path,
        code: text,
        imports: imports.map(each => each.path),
        later: imports.map(each => each.path).filter(each => !first.has(each)),
        texts: texts.map(each => each.path),
        exports,
        esm,
      },
    ]
  })
}

/** `type` of the `package.json` that a file belongs to; null where it says none. */
function packageTypes(repo: string): (path: string) => 'module' | 'commonjs' | null {
  const known = new Map<string, 'module' | 'commonjs' | null>()
  const ofFolder = (folder: string): 'module' | 'commonjs' | null => {
    const found = known.get(folder)
    if (found !== undefined) return found
    const own = ownType(join(repo, folder, 'package.json'))
    const type = own !== undefined ? own : folder === '.' ? null : ofFolder(dirname(folder))
    known.set(folder, type)
    return type
  }
  return path => ofFolder(dirname(path))
}

/** Undefined where there is no `package.json`. */
function ownType(file: string): 'module' | 'commonjs' | null | undefined {
  const text = readRegular(file, largestSettings)?.toString('utf8')
  if (text === undefined) return undefined
  try {
    const { type } = JSON.parse(text) as { type?: unknown }
    return type === 'module' || type === 'commonjs' ? type : null
  } catch {
    return null
  }
}

function formatOf({ path, esm }: Output, type: 'module' | 'commonjs' | null): ModuleFormat {
  const ending = extname(path)
  if (ending.startsWith('.m')) return 'module'
  if (ending.startsWith('.c')) return 'commonjs'
  return esm || type === 'module' ? 'module' : 'commonjs'
}

/** The manifest stays a module: its imports wait until a run needs them. */
function mayBeCommonJs({ path, code }: Output, type: 'module' | 'commonjs' | null): boolean {
  if (path.endsWith('.cts')) return true
  return type !== 'module' && /\.tsx?$/.test(path) && path !== 'manifest.ts' && !/\bimport\.meta\b/.test(code)
}

const declared = (name: string) =>
  new RegExp(
    `\\b(?:const|let|var|function|class)\\s+${name}\\b|\\bimport\\b[^;'"]*\\b${name}\\b[^;'"]*\\bfrom\\b|[{,]\\s*${name}\\s*[,}=]`,
  )

/** What CommonJS has and modules do not, where a module asks for it without declaring it: `tsx` and bundlers offer it. */
const commonJsNames: Record<string, string> = {
  require: "process.getBuiltinModule('node:module').createRequire(import.meta.url)",
  __dirname: 'import.meta.dirname',
  __filename: 'import.meta.filename',
}

function withGlobals(code: string, format: ModuleFormat): string {
  if (format !== 'module') return code
  const needed = Object.entries(commonJsNames).filter(
    ([name]) => new RegExp(`(?<![.\\w$])${name}\\b`).test(code) && !declared(name).test(code),
  )
  // On the first line, so that the others keep their numbers.
  return needed.map(([name, value]) => `const ${name} = ${value};`).join('') + code
}

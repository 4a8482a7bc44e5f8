import { existsSync, readFileSync } from 'node:fs'
import Module, {
  createRequire,
  isBuiltin,
  type ResolveHookContext,
  type ResolveHookSync,
  registerHooks,
} from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { builtRoot } from '../../src/root.ts'
import { loadFilePromises } from '../isolation/file-promises.ts'
import { packagesFolder, silent } from '../isolation/reach.ts'
import { type BuiltFile, type OpenBuild, openBuild } from './build.ts'
import { keepDeepStacks } from './errors/deep-stacks.ts'
import { ImportSites } from './errors/import-sites.ts'
import { offerLater } from './later.ts'
import { packageName } from './own-packages.ts'
import { packagesOf, packagesOfBuild } from './packages-of.ts'
import { isPlace, placesIn } from './places.ts'
import { resolveInBuild, withoutQuery } from './resolve.ts'
import { servingVariable } from './serving-variable.ts'

/** What the modules of this process are loaded from. */
export interface Serving {
  /** The folder of the build. */
  build: string
  /** The jobs repo, absolute and real. */
  repo: string
  /** The installation that its packages are taken from; null where they lie in the repo. */
  packages: string | null
}

/** For a build of the repo, with the packages that it was read with: those that the repo has may be newer by now. */
export function servingOf({ build, repo }: Omit<Serving, 'packages'>): Serving {
  const name = packagesOfBuild(build)
  return { build, repo, packages: name && join(dirname(repo), packagesFolder, name) }
}

/**
 * Lets this process look as if it had been started with the manifest, to code that asks for its program: to find the
 * folder of the repo, or to see whether it was started by itself. A module that is imported is never `require.main`.
 */
export function standForManifest(repo: string): void {
  process.argv[1] = join(repo, 'manifest.ts')
  Reflect.set(process, 'mainModule', undefined)
}

/** What `longhouse/jobs` stands for. */
export const sdk = pathToFileURL(builtRoot('sdk/jobs.js')).href
/** What `zod` stands for where the repo has none of its own. */
const zod = builtRoot('zod.js')

/** Learns what is loaded besides the files of a build. */
export interface ModuleWatch {
  resolved(url: string, parentURL: string | undefined): void
  loaded(url: string, format: string | null | undefined): void
}

/** Modules that are loaded from a build. */
export interface Served {
  /** Who imported what. */
  sites: ImportSites
  /** Nothing more is loaded from the build. */
  end(): void
}

/**
 * From now on this process loads the files of the jobs repo as they were compiled into the build, at the addresses that
 * they have in the repo: what lies on the disk by now may be newer. Everything else is left to Node.
 */
export function serveModules(serving: Serving, watch?: ModuleWatch): Served {
  process.env[servingVariable] = JSON.stringify(serving)
  addNodeOption(`--require=${builtRoot('modules.cjs')}`)
  // Node hands its permissions on to the programs that a job starts, but not that it is to be silent about them.
  if (process.permission) for (const option of silent) addNodeOption(option)
  const build = openBuild(serving.build)
  const { pathOf, placed, named } = placesIn(build, serving.repo)
  const urlOf = (path: string, specifier: string) =>
    pathToFileURL(join(serving.repo, path)).href + specifier.slice(withoutQuery(specifier).length)

  /** For a module that imports another's default export, which became CommonJS, a module in between takes it out. */
  const ownFile = (path: string, url: string, { conditions, parentURL }: ResolveHookContext) => {
    const file = build.files[path]
    const between = file?.hasDefault && conditions.includes('import') && parentURL && !isBetween(parentURL)
    if (!between) return { url, format: nodeFormat(file), shortCircuit: true }
    return {
      url: `${url}${url.includes('?') ? '&' : '?'}${betweenMark}`,
      format: 'module',
      shortCircuit: true,
    }
  }
  const sites = new ImportSites(build, pathOf)
  const note = (url: string, specifier: string, parentURL: string | undefined) => {
    sites.note(url, specifier, parentURL)
    watch?.resolved(url, parentURL)
  }
  const installed = installedFor(serving)
  /** A package of the repo gives way to one of its name that is installed nearer to the importer. */
  const isHidden = (specifier: string, importer: string) =>
    Object.hasOwn(build.own, packageName(specifier)) && installed(specifier, importer)?.nested === true

  /** What is not a file of the build: packages, and what the disk has besides. */
  const resolveElsewhere: ResolveHookSync = (specifier, context, next) => {
    // `next` writes into the context that it is given.
    const asked = { ...context }
    const parentURL = installed(specifier, asked.parentURL ?? '')?.parent ?? asked.parentURL
    try {
      // What requires is given no other parent by `next`.
      if (parentURL && parentURL !== asked.parentURL && asked.conditions.includes('require')) {
        const { href: url } = pathToFileURL(createRequire(parentURL).resolve(specifier))
        note(url, specifier, asked.parentURL)
        return { url, shortCircuit: true }
      }
      const resolved = next(specifier, parentURL === undefined ? asked : { ...asked, parentURL })
      note(resolved.url, specifier, asked.parentURL)
      return resolved
    } catch (error) {
      const path = elsewhere(specifier, parentURL)
      if (path === null)
        throw parentURL === asked.parentURL ? error : asInClone(error, () => next(specifier, asked))
      const { href: url } = pathToFileURL(path)
      note(url, specifier, asked.parentURL)
      return { url, shortCircuit: true }
    }
  }

  offerLater()
  keepDeepStacks()
  // Errors then name the lines of the sources. Packages come without theirs: reading them takes long.
  Module.setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === 'longhouse/jobs' || specifier === sdk)
        return { url: sdk, format: 'module', shortCircuit: true }
      loadFilePromises(specifier)
      if (specifier.startsWith('node:')) watch?.resolved(specifier, context.parentURL)
      if (specifier.startsWith('node:') || specifier.startsWith('data:')) return next(specifier, context)
      const importer = pathOf(context.parentURL)
      const plain = withoutQuery(specifier)
      if (importer === null || isPlace.test(plain)) {
        const found = placed(plain, context)
        if (found !== null) return ownFile(found, urlOf(found, specifier), context)
      }
      if (importer === null || isHidden(plain, context.parentURL ?? ''))
        return fullStacks(() => resolveElsewhere(specifier, context, next))
      const found = resolveInBuild(build, plain, importer, context.conditions)
      if (found !== null) return ownFile(found, urlOf(found, specifier), context)
      return fullStacks(() => resolveElsewhere(named(specifier, importer, context), context, next))
    },
    load: (url, context, next) => {
      const path = pathOf(url)
      const file = path === null ? undefined : build.files[path]
      if (path === null || file === undefined) {
        if (!isText(url, context.importAttributes)) {
          const loaded = next(url, context)
          watch?.loaded(url, loaded.format)
          return loaded
        }
        return {
          format: 'module',
          source: textModule(readFileSync(fileURLToPath(url), 'utf8')),
          shortCircuit: true,
        }
      }
      if (isBetween(url)) return { format: 'module', source: defaultModule(url), shortCircuit: true }
      if (file.error !== undefined) throw new SyntaxError(file.error)
      const code = build.code(file)
      if (context.importAttributes?.type === 'json')
        return { format: 'json', source: code, shortCircuit: true }
      if (context.importAttributes?.type === 'text')
        return { format: 'module', source: textModule(code), shortCircuit: true }
      const source = sourceOf(path, file, code, context.conditions, build)
      return { format: nodeFormat(file, context.conditions), source, shortCircuit: true }
    },
  })
  return { sites, end: () => hooks.deregister() }
}

/** Of ten frames, the usual most, all are Node's own when it looks for a module: the line that asks for it is below them. */
function fullStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = Math.max(stackTraceLimit ?? 0, 40)
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const betweenMark = 'longhouse-default'
const isBetween = (url: string) => url.endsWith(betweenMark)

function defaultModule(url: string): string {
  const real = JSON.stringify(url.slice(0, -betweenMark.length - 1))
  return `export * from ${real}\nimport all from ${real}\nexport default all.default`
}

const textModule = (text: string) => `export default ${JSON.stringify(text)}`

/** What was found by a name that the program made up, and so is not in the build. */
function isText(url: string, attributes: Readonly<Record<string, unknown>> | undefined): boolean {
  return url.startsWith('file:') && (attributes?.type === 'text' || /\.txt([?#]|$)/.test(url))
}

/** Where a package is installed for a file of the repo. */
interface Place {
  /** What it is looked for from, in the installation; null where Node finds it by itself. */
  parent: string | null
  /** It lies in `node_modules` of a folder below the repo's own. */
  nested: boolean
}

/**
 * Finds the nearest installed package of a name. In each folder from the file's up to the repo, the installation of the
 * build counts before `node_modules` of the folder, and a link there to an installation, which may be a newer one, never.
 */
function installedFor({ repo, packages }: Serving): (specifier: string, importer: string) => Place | null {
  const root = pathToFileURL(`${repo}/`).href
  const known = new Map<string, boolean>()
  const remember = (key: string, look: () => boolean): boolean => {
    const found = known.get(key) ?? look()
    known.set(key, found)
    return found
  }
  const has = (folder: string, name: string) => {
    const place = join(folder, 'node_modules', name)
    return remember(place, () => existsSync(place))
  }
  const isLed = (folder: string) => remember(folder, () => packagesOf(folder) !== null)
  return (specifier, importer) => {
    if (!importer.startsWith(root) || /^[./#]|^[a-z][a-z0-9+.-]+:/i.test(specifier) || isBuiltin(specifier))
      return null
    const name = packageName(specifier)
    const file = fileURLToPath(importer.replace(/[?#].*$/s, ''))
    for (let folder = dirname(file); folder.length >= repo.length; folder = dirname(folder)) {
      const nested = folder !== repo
      const installed = packages && join(packages, folder.slice(repo.length))
      if (installed !== null && has(installed, name))
        return { parent: pathToFileURL(join(installed, 'package.json')).href, nested }
      if (nested && has(folder, name) && !isLed(folder)) return { parent: null, nested }
    }
    return null
  }
}

function nodeFormat(file: BuiltFile | undefined, conditions: readonly string[] = []): string {
  if (file?.format === 'json') return conditions.includes('require') ? 'json' : 'module'
  if (file?.format === 'text' && conditions.includes('require')) return 'commonjs'
  return file?.format === 'commonjs' ? 'commonjs' : 'module'
}

function sourceOf(
  path: string,
  file: BuiltFile,
  code: string,
  conditions: readonly string[],
  build: OpenBuild,
): string {
  if (file.format === 'text')
    return conditions.includes('require') ? `module.exports = ${JSON.stringify(code)}` : textModule(code)
  if (file.format === 'json') return conditions.includes('require') ? code : jsonModule(code)
  return path === build.entry ? withStubs(code, build) : code
}

/** The manifest, with what can wait until a run calls it. */
function withStubs(code: string, { deferred }: OpenBuild): string {
  let text = ''
  let end = 0
  for (const { from, to, stub } of deferred) {
    text += code.slice(end, from) + stub
    end = to
  }
  return text + code.slice(end)
}

/** JSON as other tools import it: whole as the default, and each of its fields by name. */
function jsonModule(code: string): string {
  const value: unknown = JSON.parse(code)
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
  const fields = names.filter(name => name !== 'default').map((name, index) => ({ name, local: `_${index}` }))
  return [
    `const value = JSON.parse(${JSON.stringify(code)})\nexport default value`,
    ...fields.map(({ name, local }) => `const ${local} = value[${JSON.stringify(name)}]`),
    ...fields.map(({ name, local }) => `export { ${local} as ${JSON.stringify(name)} }`),
  ].join('\n')
}

/**
 * What the strict rules for modules leave out and other tools find: a file of a package without its ending, a folder;
 * and our zod, for jobs that describe their parameters with it and have none.
 */
function elsewhere(specifier: string, parent: string | undefined): string | null {
  if (parent?.startsWith('file:')) {
    try {
      const found = createRequire(fileURLToPath(parent)).resolve(specifier)
      if (found.startsWith('/')) return found
    } catch {
      // Node's own error says it.
    }
  }
  return /^zod(\/v4)?$/.test(specifier) ? zod : null
}

/** The error as it is in a clone, which names the file that imports. The repo may have other packages by now. */
function asInClone(error: unknown, resolveInRepo: () => unknown): unknown {
  try {
    resolveInRepo()
    return error
  } catch (own) {
    return own
  }
}

/** Node programs that are started from here load the same modules. */
function addNodeOption(option: string): void {
  const given = process.env.NODE_OPTIONS ?? ''
  if (!given.includes(option)) process.env.NODE_OPTIONS = `${given} ${option}`.trim()
}

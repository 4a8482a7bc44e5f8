import { isBuiltin, registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { stampAt } from './stamps.ts'

/** Modules of packages that were loaded and linked before anything asked for them. None of their code has run. */
export interface Linked {
  has(url: string): boolean
  /** Whether each file still is what was loaded, and each name still leads where it led. */
  isUnchanged(): boolean
  /** Node's own modules that they import, by name. */
  builtins: ReadonlyMap<string, object>
}

/** More than this is not linked ahead: the process waits with it for a while. */
const most = { files: 2000, bytes: 12 * 1024 * 1024 }

const root = 'longhouse:ahead'
const nothing = 'longhouse:nothing'

/**
 * Loads and links the modules at these addresses, with all that they import, and runs none of them: what asks for them
 * also asks for a name that is not there. They stay in Node's map of modules, where a later import finds them. `packages` is the installation that they lie in. Null when that is not possible, or not certain to be what loading them
 * later would give; then the process is not to be used any more.
 */
export async function linkAhead(roots: readonly string[], packages: string): Promise<Linked | null> {
  const startedAt = Date.now()
  const modules = pathToFileURL(join(packages, 'node_modules/')).href
  const linked = new Set<string>()
  const builtins = new Set<string>()
  const stamps = new Map<string, string | null>()
  let bytes = 0
  let isCertain = true
  const unsure = (): never => {
    isCertain = false
    throw new Error('not linked ahead')
  }
  const warned = () => {
    isCertain = false
  }
  const stampOf = (path: string) => stampAt(path, startedAt)
  /** A file counts with the folders above it, in which something could come nearer, and what their package.json says. */
  const note = (file: string) => {
    stamps.set(file, stampOf(file) ?? unsure())
    for (let dir = dirname(file); dir.length >= packages.length && !stamps.has(dir); dir = dirname(dir)) {
      stamps.set(dir, stampOf(dir) ?? unsure())
      const settings = join(dir, 'package.json')
      stamps.set(settings, stampOf(settings))
    }
  }
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === root || specifier === nothing)
        return { url: specifier, format: 'module', shortCircuit: true }
      if (specifier === 'longhouse/jobs') return unsure()
      const found = next(specifier, context)
      if (isBuiltin(found.url)) builtins.add(found.url)
      else if (!found.url.startsWith(modules) || found.url.includes('?')) unsure()
      return found
    },
    load: (url, context, next) => {
      if (url === root) return { format: 'module', source: asking(roots), shortCircuit: true }
      if (url === nothing) return { format: 'module', source: 'export {}', shortCircuit: true }
      if (isBuiltin(url)) return next(url, context)
      note(fileURLToPath(url))
      const loaded = next(url, context)
      bytes += typeof loaded.source === 'string' ? loaded.source.length : (loaded.source?.byteLength ?? 0)
      // Node keeps what is loaded of CommonJS where a program can see it.
      if (loaded.format !== 'module' || linked.size >= most.files || bytes > most.bytes) unsure()
      linked.add(url)
      return loaded
    },
  })
  process.on('warning', warned)
  try {
    await import(root)
  } catch (error) {
    if (!String(error).includes(nothing)) isCertain = false
  } finally {
    hooks.deregister()
    // Warnings come in the next turn.
    await new Promise(done => setImmediate(done))
    process.off('warning', warned)
  }
  if (!isCertain) return null
  return {
    builtins: new Map([...builtins].map(name => [name, process.getBuiltinModule(name) as object])),
    has: url => linked.has(url),
    isUnchanged: () => [...stamps].every(([path, stamp]) => stampOf(path) === stamp),
  }
}

const asking = (roots: readonly string[]) =>
  [...roots.map(url => `import ${JSON.stringify(url)}`), `import { none } from '${nothing}'`].join('\n')

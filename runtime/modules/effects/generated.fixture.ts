import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import vm from 'node:vm'
import { transform } from 'esbuild'
import { compileFiles } from '../compile.ts'
import { whatCanWait } from '../deferred.ts'
import { walkImports } from '../graph.ts'

export type Repo = Record<string, string>

/** What running one job shows: all that was printed, the jobs that were registered, and the result. */
interface Shown {
  printed: string[]
  jobs: string[]
  result: unknown
}

export interface Outcomes {
  /** How many imports of the manifest wait. */
  waiting: number
  /** By job: with modules that wait, and with none. */
  here: Shown[]
  clone: Shown[]
}

type Code = ReadonlyMap<string, string>

/** Compiles a repo, and runs each of its jobs with modules that wait and without. */
export async function outcomesOf(repo: Repo): Promise<Outcomes> {
  const dir = mkdtempSync(join(tmpdir(), 'generated-'))
  try {
    const paths = Object.keys(repo)
    for (const path of paths) writeFileSync(join(dir, path), repo[path] ?? '')
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(dir, 'tsconfig.json'), '{ "compilerOptions": { "experimentalDecorators": true } }')
    const compiled = await compileFiles(dir, paths, {
      read: path => readFileSync(join(dir, path), 'utf8'),
      plugins: [],
    })
    for (const { path, errors } of compiled)
      if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.text}\n${repo[path]}`)
    const known = { files: new Map(compiled.map(file => [file.path, file])), aliases: [], own: {} }
    const graph = walkImports('manifest.ts', { ...known, isThere: () => true, hasPackage: () => true })
    const { deferred } = whatCanWait('manifest.ts', { ...known, graph })
    const manifest = known.files.get('manifest.ts')?.code ?? ''
    const waiting = deferred.reduceRight(
      (text, { from, to, stub }) => text.slice(0, from) + stub + text.slice(to),
      manifest,
    )
    const code = new Map(
      await Promise.all(compiled.map(async file => [file.path, await asFunction(file.code)] as const)),
    )
    const here = new Map([...code, ['manifest.ts', await asFunction(waiting)]])
    const ids = ['a', 'b', 'c']
    return {
      waiting: deferred.length,
      here: await Promise.all(ids.map((_, at) => shown(here, at))),
      clone: await Promise.all(ids.map((_, at) => shown(code, at))),
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function asFunction(code: string): Promise<string> {
  const { code: text } = await transform(code.replace(/\n\/\/# sourceMappingURL.*$/s, ''), {
    format: 'cjs',
    supported: { 'dynamic-import': false },
  })
  return text
}

/** Runs a job in a world of its own. */
async function shown(code: Code, at: number): Promise<Shown> {
  const printed: string[] = []
  const registered: { id: string; cron: string; func: { later?: () => unknown } & (() => unknown) }[] = []
  const world = vm.createContext({
    console: { log: (...given: unknown[]) => printed.push(given.join(' ')) },
    process: { env: {} },
  })
  const modules = new Map<string, { exports: unknown }>()
  const require = (specifier: string): unknown => {
    if (specifier === 'longhouse/jobs')
      return { jobRegistry: { register: (job: (typeof registered)[number]) => registered.push(job) } }
    const path = `${posix.normalize(specifier)}.ts`
    const known = modules.get(path)
    if (known) return known.exports
    const module = { exports: {} }
    modules.set(path, module)
    const run = vm.runInContext(`(function (exports, require, module) {${code.get(path)}\n})`, world)
    run(module.exports, require, module)
    return module.exports
  }
  const later = (load: () => Promise<Record<string, unknown>>, name: string) =>
    Object.assign(() => {}, { later: async () => (await load())[name] })
  Reflect.set(world, Symbol.for('longhouse.later'), later)
  let result: unknown
  try {
    require('./manifest')
    const func = registered[at]?.func
    const loaded = (func?.later ? await func.later() : func) as () => unknown
    result = JSON.parse(JSON.stringify(await loaded()))
  } catch (error) {
    result = String(error)
  }
  return { printed, jobs: registered.map(({ id, cron }) => `${id} ${cron}`), result }
}

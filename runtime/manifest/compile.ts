import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build, type Message, type Metafile, type Plugin, stop, transform } from 'esbuild'
import { isPointerFile } from '../git/objects/lfs.ts'
import { buildEntry } from './build-entry.ts'
import type { ManifestError } from './manifest-error.ts'
import { isOutside, outsideInWords, settingsOutside } from './outside.ts'
import { type Draft, type ReadingRequest, readingLimits } from './reader-protocol.ts'

/** Starts the compiler, which is a process of its own, before there is something to compile. */
export function startCompiler(): void {
  // Why it does not start, the compile says.
  transform('').catch(() => {})
}

/** Compiles the manifest and everything that it imports, packages included, into one file with its source map. */
export async function compileManifest(
  request: ReadingRequest,
): Promise<{ errors: ManifestError[] } | { code: string; inputs: string[] }> {
  const outfile = join(request.out, buildEntry)
  const led = settingsOutside(request.repo, ['.'])
  if (led.length > 0) {
    await stop()
    return { errors: led }
  }
  const built = await build({
    absWorkingDir: request.repo,
    entryPoints: ['manifest.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [
      withSdk(request.sdk),
      withZod(request.repo, request.zod),
      ...(request.draft ? [withDraft(request.repo, request.draft)] : []),
    ],
    // Packages in CommonJS call require(). As a global: a constant of that name would collide with a job's own.
    banner: {
      js: "import { createRequire as __longhouseRequire } from 'node:module'; globalThis.require ??= __longhouseRequire(import.meta.url);",
    },
    logLevel: 'silent',
  }).catch((error: { errors?: Message[]; message: string }) => error)
  // esbuild’s child process takes orders from whichever process owns it, and must not take any from the customer’s
  // code.
  await stop()
  if (!('metafile' in built)) {
    return { errors: allInWords(built, request.repo) }
  }
  const metafile = built.metafile as Metafile
  const folders = new Set(ownFiles(metafile).map(file => dirname(file)))
  const strangers = [...outsiders(metafile, request), ...settingsOutside(request.repo, folders)]
  if (strangers.length > 0) return { errors: strangers }
  const size = statSync(outfile).size
  if (size > readingLimits.build) return { errors: [tooLarge(size)] }
  return { code: hashOf([outfile, `${outfile}.map`]), inputs: ownFiles(metafile) }
}

/** Names the SDK by what jobs call it: a build says nothing of where on this machine the runtime lies. */
function withSdk(file: string): Plugin {
  const namespace = 'longhouse'
  return {
    name: 'sdk',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^longhouse\/jobs$/ }, ({ path }) => ({ path, namespace }))
      onLoad({ filter: /.*/, namespace }, () => ({ contents: readFileSync(file, 'utf8'), loader: 'js' }))
    },
  }
}

/** A job may describe its parameters with zod without installing it; the repo's own goes first. */
function withZod(repo: string, ours: string): Plugin {
  const inner = Symbol('asked by the plugin itself')
  return {
    name: 'zod',
    setup: ({ onResolve, resolve }) => {
      onResolve({ filter: /^zod(\/v4)?$/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === inner) return undefined
        const found = await resolve(path, { importer, resolveDir, kind, pluginData: inner })
        return found.path.startsWith(`${repo}/`) ? found : { path: ours }
      })
    },
  }
}

const endings = ['', '.tsx', '.ts', '.jsx', '.js', '.css', '.json']

/** Reads one file from memory, also where none of its name is there yet. */
function withDraft(repo: string, draft: Draft): Plugin {
  const path = join(repo, draft.file)
  return {
    name: 'draft',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^\.{0,2}\/|^manifest\.ts$/ }, args => {
        const from = args.kind === 'entry-point' ? repo : args.resolveDir || dirname(args.importer)
        const named = join(from, args.path)
        const meant = endings.some(
          ending => named + ending === path || join(named, `index${ending}`) === path,
        )
        return meant && !existsSync(path) ? { path } : undefined
      })
      onLoad({ filter: /.*/, namespace: 'file' }, args =>
        args.path === path
          ? { contents: draft.content, loader: 'default', resolveDir: dirname(path) }
          : undefined,
      )
    },
  }
}

function allInWords(failed: { errors?: Message[]; message: string }, repo: string): ManifestError[] {
  // Why a folder above the repo cannot be read is of no use beside what was looked for there.
  const errors = failed.errors?.filter(({ text }) => !/^Cannot read directory "\.\.[/"]/.test(text)) ?? []
  if (errors.length > 0) return errors.slice(0, readingLimits.errors).map(error => inWords(error, repo))
  return [nowhere(`esbuild failed: ${failed.errors?.[0]?.text ?? failed.message}`)]
}

/** Of a file outside the repo it tells that it lies there, and nothing that it holds. */
function inWords({ location, text }: Message, repo: string): ManifestError {
  const where = location && resolve(repo, location.file)
  if (where && isOutside(where, repo)) return outsideInWords(where, repo)
  const unread = /^Cannot read file "(.*)": /.exec(text)?.[1]
  if (unread !== undefined && isOutside(resolve(repo, unread), repo)) {
    const from = location && { file: location.file, line: location.line, column: location.column + 1 }
    return outsideInWords(resolve(repo, unread), repo, from ?? undefined)
  }
  if (/^(<{7} |={7}$|>{7} )/.test(location?.lineText ?? '')) {
    const message = 'merge conflict not resolved: choose between the two sides, and remove its marks'
    return { file: location?.file ?? null, line: location?.line ?? null, column: 1, message }
  }
  if (location && isPointerFile(join(repo, location.file))) {
    const message =
      'is a Git LFS pointer: its content lies in LFS storage, which is not fetched here; commit the file itself, as after git lfs migrate export'
    return { file: location.file, line: null, column: null, message }
  }
  const missing = /^Could not resolve "(.*)"$/.exec(text)?.[1]
  return {
    file: location?.file ?? 'manifest.ts',
    line: location?.line ?? null,
    column: location ? location.column + 1 : null,
    message: missing === undefined ? text : missingInWords(missing, location?.file ?? '', repo),
  }
}

function missingInWords(path: string, importer: string, repo: string): string {
  if (path === 'manifest.ts') return 'manifest.ts is not there; it registers the jobs'
  if (/^[./]/.test(path) && isOutside(resolve(repo, dirname(importer), path), repo)) {
    return `imports "${path}", which lies outside the jobs repo; put the file itself here`
  }
  if (/^[./]/.test(path)) return `cannot find the file "${path}"`
  const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/')
  if (isNamed(name, 'dependencies', repo)) {
    return `cannot find the package "${name}": package.json names it, but it is not installed`
  }
  if (isNamed(name, 'devDependencies', repo)) {
    return `cannot find the package "${name}": package.json names it in "devDependencies", which are not installed here; move it to "dependencies"`
  }
  return `cannot find the package "${name}"; add it to "dependencies" in package.json and save: it is installed here then`
}

function isNamed(name: string, field: 'dependencies' | 'devDependencies', repo: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as Record<string, object>
    return Object.hasOwn(manifest[field] ?? {}, name)
  } catch {
    return false
  }
}

/**
 * Resolution walks up the folders, out of the repo, and would find packages that are on this machine by accident.
 */
function outsiders(metafile: Metafile, request: ReadingRequest): ManifestError[] {
  const ours = relative(request.repo, request.zod)
  if (Object.values(metafile.outputs).some(output => output.entryPoint?.startsWith('../'))) {
    const message = 'is a link out of the jobs repo; put the file itself here'
    return [{ file: 'manifest.ts', line: null, column: null, message }]
  }
  return Object.entries(metafile.inputs).flatMap(([file, input]) =>
    file.startsWith('../')
      ? []
      : input.imports
          .filter(each => each.path.startsWith('../') && each.path !== ours)
          .map(each => ({
            file,
            line: null,
            column: null,
            message: `imports "${each.original ?? each.path}", which lies outside the jobs repo (${each.path})`,
          })),
  )
}

function ownFiles(metafile: Metafile): string[] {
  return Object.keys(metafile.inputs).filter(
    file => !/^(\.\.\/|longhouse:)/.test(file) && !file.split('/').includes('node_modules'),
  )
}

function tooLarge(bytes: number): ManifestError {
  const mebibytes = (size: number) => Math.ceil(size / 1024 / 1024)
  const message = `all the code together has ${mebibytes(bytes)} MiB, more than ${mebibytes(readingLimits.build)}; keep data in files that jobs read`
  return { file: 'manifest.ts', line: null, column: null, message }
}

function hashOf(files: string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 20)
}

function nowhere(message: string): ManifestError {
  return { file: null, line: null, column: null, message }
}

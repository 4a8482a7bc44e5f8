import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { builtRoot } from '../../../src/root.ts'
import { packagesFolder, reachOfNpm } from '../../isolation/reach.ts'
import { makeTemporary } from '../../isolation/temporary.ts'
import { startForeignProgram } from '../../process/child-program.ts'
import { processTree } from '../../process/process-tree.ts'
import { readText } from '../files/package-files.ts'
import { type Failure, failed, failureOf } from './failure.ts'
import { type Cached, type NpmOrder, orderVariable } from './order.ts'

export interface NpmLimits {
  limitMs: number
  memoryMb: number
}

export interface NpmRun extends NpmLimits {
  /** The repo whose packages to install. */
  jobsDir: string
  cwd: string
  args: readonly string[]
  /** Existing folders that npm may write, besides its cache. */
  write: readonly string[]
  /** The cache for downloads; null keeps none. */
  cacheDir: string | null
  /** The folder for temporary files: building a package takes more space than a container’s /tmp has. */
  workDir: string
  signal: AbortSignal
  /** True if this run downloads packages: a timeout is then the network’s fault, not a script’s. */
  fetches: boolean
  onOutput: (text: string) => void
  /** Tarballs that npm need not fetch. They may be installed, whatever `.npmrc` leaves to npm's defaults. */
  cached?: readonly Cached[]
  /** What `.npmrc` names as `${NAME}`. Only for what runs no script of a package. */
  env?: Record<string, string>
}

const quiet = [
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--no-progress',
  '--color=false',
  '--loglevel=http',
]

/** Programs that a repo’s `.npmrc` or `.npm-extension` could make npm run. */
const programs = ['--git=git', '--ignore-extension', '--no-dangerously-allow-all-scripts']

/**
 * Few connections and short timeouts: a small instance shares its network with the jobs, and a person waits for the
 * result.
 */
const network = [
  '--maxsockets=4',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
  '--fetch-timeout=60000',
]

let runs = 0

/**
 * Runs the bundled npm in a process of its own with the restrictions of a run: it reaches the given folders and
 * temporary files of its own. No code that it compiled earlier is loaded again. Returns null, or the failure.
 */
export async function runNpm(run: NpmRun): Promise<Failure | null> {
  const npm = dirname(createRequire(import.meta.url).resolve('npm/package.json'))
  const mark = `packages-${process.pid}-${++runs}`
  const volumeDir = dirname(run.jobsDir)
  const temporary = makeTemporary(volumeDir, 'npm', run.workDir)
  const { cached = [] } = run
  const npmrc = readText(join(run.cwd, '.npmrc')) ?? ''
  const fromAddress = cached.length > 0 && !/^\s*allow-remote\b/m.test(npmrc) ? ['--allow-remote=root'] : []
  const cacheDir = run.cacheDir ?? join(temporary.path, 'cache')
  const child = startForeignProgram({
    jobsDir: run.jobsDir,
    cwd: run.cwd,
    file: builtRoot('npm.cjs'),
    args: [...run.args, ...quiet, ...network, ...programs, ...fromAddress, '--cache', cacheDir],
    mark,
    reach: reachOfNpm(volumeDir, {
      read: [npm, run.jobsDir, run.cwd, join(volumeDir, packagesFolder), ...cached.map(({ file }) => file)],
      write: [...run.write, cacheDir, temporary.path],
    }),
    temporary,
    memoryMb: run.memoryMb,
    env: {
      NODE_ENV: 'production',
      ...run.env,
      [orderVariable]: JSON.stringify({ npm, cacheDir, cached } satisfies NpmOrder),
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-64 * 1024)
      run.onOutput(text)
    })
  }
  const { promise: cut, resolve: cutShort } = Promise.withResolvers<Failure>()
  const timer = setTimeout(
    () =>
      cutShort(
        failed(`npm took longer than ${Math.round(run.limitMs / 1000)} seconds and was ended.`, {
          offline: run.fetches,
        }),
      ),
    run.limitMs,
  )
  const abort = () => cutShort(failed('it was broken off.'))
  run.signal.addEventListener('abort', abort, { once: true })
  if (run.signal.aborted) abort()
  const ended = new Promise<Failure | null>(resolve => {
    child.once('error', error => resolve(failed(`npm did not start: ${error.message}`)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(null)
      else if (/heap out of memory|heap limit/i.test(output))
        resolve(failed(`npm took more than ${run.memoryMb} MiB of memory.`))
      else resolve(signal ? failed(endedBy(signal), { passing: true }) : failureOf(output))
    })
  })
  const result = await Promise.race([ended, cut])
  clearTimeout(timer)
  run.signal.removeEventListener('abort', abort)
  if (child.pid !== undefined) await processTree(child.pid, mark, { adopts: true }).destroy()
  await temporary.remove()
  return result
}

/** The kernel ends the largest program when the memory of a container is used up. */
function endedBy(signal: NodeJS.Signals): string {
  if (signal !== 'SIGKILL') return `npm was ended by ${signal}. The installation is retried automatically.`
  return 'npm was ended by SIGKILL: most likely, the memory of this instance was used up by npm and the jobs together. The installation is retried automatically; if that does not help, the operator can give the instance more memory (INSTANCE_MEMORY).'
}

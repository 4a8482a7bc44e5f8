import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { letGoFirst, userEnvironment } from '../child-program.ts'
import { processMark, processTree } from '../process-tree.ts'
import { failureInWords } from './failure.ts'

export interface NpmLimits {
  limitMs: number
  memoryMb: number
}

export interface NpmRun extends NpmLimits {
  /** The repo whose packages these are. */
  jobsDir: string
  cwd: string
  args: readonly string[]
  cacheDir: string
  signal: AbortSignal
  onOutput: (text: string) => void
}

const quiet = [
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--no-progress',
  '--color=false',
  '--loglevel=http',
]

/** Few at once, and no long patience: a small box shares its line with the jobs, and a person waits for the words. */
const network = [
  '--maxsockets=4',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
  '--fetch-timeout=60000',
]

let runs = 0

/**
 * Runs the npm that is part of the product, in a process of its own. Returns null, or in words why it failed. Install
 * scripts run only for packages that the jobs repo's `allowScripts` names; that is npm's own rule.
 */
export async function runNpm(run: NpmRun): Promise<string | null> {
  const npm = join(dirname(createRequire(import.meta.url).resolve('npm/package.json')), 'bin/npm-cli.js')
  const mark = `packages-${process.pid}-${++runs}`
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${run.memoryMb}`, npm, ...run.args, ...quiet, ...network, '--cache', run.cacheDir],
    {
      cwd: run.cwd,
      detached: true,
      env: userEnvironment(run.jobsDir, { [processMark]: mark, NODE_ENV: 'production' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  letGoFirst(child.pid)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-64 * 1024)
      run.onOutput(text)
    })
  }
  const { promise: cut, resolve: cutShort } = Promise.withResolvers<string>()
  const timer = setTimeout(
    () => cutShort(`npm took longer than ${Math.round(run.limitMs / 1000)} seconds and was ended.`),
    run.limitMs,
  )
  const abort = () => cutShort('it was broken off.')
  run.signal.addEventListener('abort', abort, { once: true })
  if (run.signal.aborted) abort()
  const ended = new Promise<string | null>(resolve => {
    child.once('error', error => resolve(`npm did not start: ${error.message}`))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(null)
      else if (/heap out of memory|heap limit/i.test(output))
        resolve(`npm took more than ${run.memoryMb} MiB of memory.`)
      else resolve(signal ? `npm was ended by ${signal}.` : failureInWords(output))
    })
  })
  const result = await Promise.race([ended, cut])
  clearTimeout(timer)
  run.signal.removeEventListener('abort', abort)
  if (child.pid !== undefined) await processTree(child.pid, mark).destroy()
  return result
}

import { type ChildProcess, type ForkOptions, fork, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { programRoot } from '../src/root.ts'
import { volumeMark, volumeMarkOf } from './process-tree.ts'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

/** The runtime's other programs. Node runs them from source too, for it strips types by itself. */
const programs = {
  'manifest-reader': 'runtime/jobs/manifest-reader.ts',
  runner: 'runtime/jobs/runner.ts',
  git: 'runtime/repo/git.ts',
  history: 'runtime/repo/history-program.ts',
  sync: 'runtime/sync/program.ts',
}

/** Starts a program of ours, which is told what to do over Node's own channel. */
export function startProgram(name: keyof typeof programs, options: ForkOptions): ChildProcess {
  const [execPath, ...execArgv] = nodeCommand(options.execArgv ?? [])
  return fork(fileOf(name), { ...options, execPath, execArgv })
}

/** Starts a program that runs the customer's code; it is asked over a pipe, its file 3 (see `channel.ts`). */
export function startCustomerProgram(
  name: 'manifest-reader' | 'runner',
  { nodeArgs, ...options }: SpawnOptions & { nodeArgs: readonly string[] },
): ChildProcess {
  const [command, ...args] = nodeCommand(nodeArgs)
  return spawn(command, [...args, fileOf(name)], options)
}

function fileOf(name: keyof typeof programs): string {
  return bundled ? programRoot(`${name}.js`) : programRoot(programs[name])
}

const setpriv = '/usr/bin/setpriv'

/** Where the system can do it, a program ends with this process however busy it is; else at its next quiet moment. */
function nodeCommand(nodeArgs: readonly string[]): [string, ...string[]] {
  if (!existsSync(setpriv)) return [process.execPath, ...nodeArgs]
  return [setpriv, '--pdeathsig', 'KILL', process.execPath, ...nodeArgs]
}

/** What user code may see of our environment: what programs need to work, and no secret of ours. */
const passed = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]

/** For a program that works on this jobs repo: what it gets, and the mark by which the next runtime would find it. */
export function userEnvironment(jobsDir: string, own: Record<string, string>): Record<string, string> {
  const kept = passed.flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...own, [volumeMark]: volumeMarkOf(dirname(jobsDir)) }
}

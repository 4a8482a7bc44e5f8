import {
  type ChildProcess,
  type ForkOptions,
  fork,
  type SpawnOptions,
  spawn,
  spawnSync,
} from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programRoot } from '../src/root.ts'
import type { Reach } from './isolation/landlock.ts'
import { permissionArgs, temporaryFolder } from './isolation/reach.ts'
import { heapMb } from './memory.ts'
import { processMark, volumeMark, volumeMarkOf } from './process-tree.ts'

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
  const child = fork(fileOf(name), { ...options, execPath, execArgv })
  letGoFirst(child.pid)
  return child
}

export interface CustomerProgram {
  volumeDir: string
  /** The jobs repo, or a copy of it. */
  cwd: string
  /** What leads to everything that it starts, see `processTree`. */
  mark: string
  reach: Reach
  /** What it and all that it starts may hold, in MiB: whoever starts it has to watch that, its heap is bound by it. */
  memoryMb: number
  env?: Record<string, string>
  stdio: SpawnOptions['stdio']
}

/**
 * Starts a program that runs the customer's code, at the head of its own process group. It is asked over a pipe, its
 * file 3 (see `channel.ts`), and confines itself to its reach before it loads that code.
 */
export function startCustomerProgram(
  name: 'manifest-reader' | 'runner',
  { volumeDir, cwd, mark, reach, memoryMb, env = {}, stdio }: CustomerProgram,
): ChildProcess {
  const args = [...permissionArgs(reach), '--disable-sigusr1', `--max-old-space-size=${heapMb(memoryMb)}`]
  const [command, ...before] = nodeCommand(args, { overOthers: false })
  const temporary = temporaryFolder(volumeDir)
  mkdirSync(temporary, { recursive: true })
  const own = { ...env, TMPDIR: temporary, HOME: temporary, [processMark]: mark }
  const child = spawn(command, [...before, fileOf(name), JSON.stringify(reach)], {
    cwd,
    detached: true,
    env: userEnvironment(join(volumeDir, 'jobs'), own),
    stdio,
  })
  letGoFirst(child.pid)
  return child
}

/** When the memory of the box is used up, the system ends this process and what it started, and not the runtime. */
export function letGoFirst(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {
    // It has ended, or this is another system.
  }
}

function fileOf(name: keyof typeof programs): string {
  if (!bundled) return programRoot(programs[name])
  return programRoot(name === 'runner' ? 'runner.cjs' : `${name}.js`)
}

const setpriv = '/usr/bin/setpriv'

/** What of root's rights would let it look into other processes, whatever else binds it. */
const rightsOverOthers = '-sys_admin,-sys_ptrace,-perfmon'

/** Where the system can do it, a program ends with this process however busy it is; else at its next quiet moment. */
function nodeCommand(nodeArgs: readonly string[], { overOthers = true } = {}): [string, ...string[]] {
  if (!existsSync(setpriv)) return [process.execPath, ...nodeArgs]
  const less = overOthers ? [] : givingUp()
  return [setpriv, '--pdeathsig', 'KILL', ...less, process.execPath, ...nodeArgs]
}

let known: readonly string[] | undefined

/** Nothing for whoever has no such rights, or cannot give them up. */
function givingUp(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  const args = [`--bounding-set=${rightsOverOthers}`]
  known ??= spawnSync(setpriv, [...args, process.execPath, '--version']).status === 0 ? args : []
  return known
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

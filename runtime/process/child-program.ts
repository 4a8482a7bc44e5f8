import { type ChildProcess, fork, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { builtRoot } from '../../src/root.ts'
import { processMark, volumeMark, volumeMarkOf } from '../isolation/marks.ts'
import { permissionArgs, type Reach, reachOfHelper } from '../isolation/reach.ts'
import { reachVariable } from '../isolation/reach-variable.ts'
import { makeTemporary, type TemporaryFolder } from '../isolation/temporary.ts'
import { heapMb } from './memory.ts'
import { endingWithParent, setpriv } from './with-parent.ts'

/** The runtime's other programs, where the build put them. */
const programs = {
  'manifest-reader': 'manifest-reader.js',
  runner: 'runner.cjs',
  git: 'git.js',
  history: 'history.js',
  sync: 'sync.js',
  receive: 'receive.js',
}

export interface HelperProgram {
  /** The jobs repo. The program may write to it. */
  jobsDir: string
  /** Other existing folders of the volume that it may write to. */
  write?: readonly string[]
  /** For compiled code; the program has a folder of its own there. */
  cacheDir: string
  memoryMb: number
  env?: Record<string, string>
  /** True to give it a standard input. */
  takesInput?: boolean
}

/**
 * Starts a program of ours that handles customer content, and runs none of it. It gets its orders over Node’s own
 * channel. The system restricts it before it has loaded anything.
 */
export function startProgram(
  name: 'git' | 'history' | 'sync' | 'receive',
  program: HelperProgram,
): ChildProcess {
  const { jobsDir, write = [], memoryMb, env = {}, takesInput = false } = program
  const volumeDir = dirname(jobsDir)
  const cache = join(program.cacheDir, name)
  mkdirSync(cache, { recursive: true })
  const temporary = makeTemporary(volumeDir, name)
  const reach = reachOfHelper(volumeDir, [jobsDir, cache, temporary.path, ...write])
  const [execPath, ...execArgv] = nodeCommand([`--max-old-space-size=${memoryMb}`, ...confinedFromStart()])
  const own = { ...env, ...at(temporary), ...bounds(reach), NODE_COMPILE_CACHE: cache }
  const child = fork(fileOf(name), {
    execPath,
    execArgv,
    env: userEnvironment(jobsDir, own),
    stdio: [takesInput ? 'pipe' : 'ignore', 'ignore', 'inherit', 'ipc'],
  })
  letGoFirst(child.pid)
  removeAfter(child, temporary)
  return child
}

export interface CustomerProgram {
  volumeDir: string
  /** The jobs repo, or a copy of it. */
  cwd: string
  /** Identifies the process and its children, see `processTree`. */
  mark: string
  reach: Reach
  /** The folder for temporary files; the caller deletes it after the whole process tree has ended. */
  temporary: TemporaryFolder
  /** Memory limit of the process and its children, in MiB. It sets the heap size; the caller has to watch the rest. */
  memoryMb: number
  env?: Record<string, string>
  args?: readonly string[]
  stdio: SpawnOptions['stdio']
}

/**
 * Starts a program that runs the customer's code, at the head of its own process group. Its channel is a pipe, file 3
 * (see `channel.ts`). The reader is restricted from its start; the runner, which may wait for long, restricts itself
 * right before it loads that code.
 */
export function startCustomerProgram(
  name: 'manifest-reader' | 'runner',
  { volumeDir, cwd, mark, reach, temporary, memoryMb, env = {}, args = [], stdio }: CustomerProgram,
): ChildProcess {
  const fromStart = name === 'manifest-reader'
  const nodeArgs = [
    ...permissionArgs(reach),
    '--disable-sigusr1',
    `--max-old-space-size=${heapMb(memoryMb)}`,
    // As many threads of V8 as can work beside the main one: each takes time to start, and Node starts four anywhere.
    `--v8-pool-size=${Math.min(4, Math.max(1, availableParallelism() - 1))}`,
    ...(fromStart ? confinedFromStart() : []),
    // For the threads that they start, which take this over.
    `--require=${builtRoot('modules.cjs')}`,
  ]
  const [command, ...before] = nodeCommand(nodeArgs, { overOthers: false })
  const own = { ...env, ...at(temporary), ...(fromStart ? bounds(reach) : {}), [processMark]: mark }
  const child = spawn(command, [...before, fileOf(name), ...args], {
    cwd,
    detached: true,
    env: userEnvironment(join(volumeDir, 'jobs'), own),
    stdio,
  })
  letGoFirst(child.pid)
  return child
}

export interface ForeignProgram {
  jobsDir: string
  cwd: string
  /** A Node program and its arguments. */
  file: string
  args: readonly string[]
  mark: string
  reach: Reach
  temporary: TemporaryFolder
  memoryMb: number
  env?: Record<string, string>
  /** True to give it a standard input. */
  takesInput?: boolean
}

/** Starts a third-party Node program at the head of its own process group, restricted from its start. */
export function startForeignProgram(program: ForeignProgram): ChildProcess {
  const { jobsDir, cwd, file, args, mark, reach, temporary, memoryMb, env = {}, takesInput = false } = program
  const nodeArgs = [`--max-old-space-size=${memoryMb}`, ...confinedFromStart()]
  const [command, ...before] = nodeCommand(nodeArgs, { overOthers: false })
  const own = {
    ...env,
    ...at(temporary),
    ...bounds(reach),
    [processMark]: mark,
    NODE_DISABLE_COMPILE_CACHE: '1',
  }
  const child = spawn(command, [...before, file, ...args], {
    cwd,
    detached: true,
    env: userEnvironment(jobsDir, own),
    stdio: [takesInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  letGoFirst(child.pid)
  return child
}

/** Starts a program that is not Node's in the same way. `file` is its absolute path. */
export function startSystemProgram({ file, args, ...program }: ForeignProgram): ChildProcess {
  return startForeignProgram({ ...program, file: builtRoot('exec.cjs'), args: [file, ...args] })
}

/** Deletes the folder when the process has ended, or did not start. */
function removeAfter(child: ChildProcess, temporary: TemporaryFolder): void {
  child.once('exit', () => void temporary.remove())
  child.once('error', () => {
    if (child.pid === undefined) void temporary.remove()
  })
}

function confinedFromStart(): string[] {
  return [`--require=${builtRoot('confine.cjs')}`, '--disable-warning=ExperimentalWarning']
}

function bounds(reach: Reach): Record<string, string> {
  return { [reachVariable]: JSON.stringify(reach) }
}

function at({ path }: TemporaryFolder): Record<string, string> {
  return { TMPDIR: path, HOME: path }
}

/** When the container is out of memory, the system ends this process and what it started, and not the runtime. */
function letGoFirst(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {
    // It has ended, or this is another system.
  }
}

function fileOf(name: keyof typeof programs): string {
  return builtRoot(programs[name])
}

/** The rights of root by which it could inspect other processes despite other restrictions. */
const rightsOverOthers = '-sys_admin,-sys_ptrace,-perfmon'

/** If the system supports it, a program ends with this process even when busy; otherwise when it is next idle. */
function nodeCommand(nodeArgs: readonly string[], { overOthers = true } = {}): [string, ...string[]] {
  const [command, ...before] = endingWithParent()
  if (command === undefined) return [process.execPath, ...nodeArgs]
  const less = overOthers ? [] : givingUp()
  return [command, ...before, ...less, process.execPath, ...nodeArgs]
}

let known: readonly string[] | undefined

/** Does nothing for a user without such rights, or who cannot drop them. */
function givingUp(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  const args = [`--bounding-set=${rightsOverOthers}`]
  known ??= spawnSync(setpriv, [...args, process.execPath, '--version']).status === 0 ? args : []
  return known
}

/** The part of our environment that user code may see: what programs need to work, and none of our secrets. */
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
  'GIT_SSL_CAINFO',
  'CURL_CA_BUNDLE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]

/** The environment of a program that works on this jobs repo, with the mark by which the next runtime would find it. */
function userEnvironment(jobsDir: string, own: Record<string, string>): Record<string, string> {
  const kept = passed.flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...own, [volumeMark]: volumeMarkOf(dirname(jobsDir)) }
}

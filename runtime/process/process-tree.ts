import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { processMark, volumeMark, volumeMarkOf } from '../isolation/marks.ts'

interface Process {
  pid: number
  parent: number
  group: number
}

/**
 * Finds and ends a process with everything it started. While the process lives and adopts orphans, these are all its
 * descendants. Otherwise they are its process group, its descendants by parentage, and processes that left both but
 * still have the mark in their environment. On systems without /proc, only the group.
 */
export interface ProcessTree {
  /** The living processes. */
  pids(): number[]
  /** Sends the signal to every living process of the tree; false if there is none. */
  signal(signal: NodeJS.Signals): boolean
  /**
   * Kills until nothing is left. Gives up after two seconds, but only after enough attempts that a slow machine is
   * not the reason; a program that forks faster keeps its last generation.
   */
  destroy(): Promise<void>
}

const patienceMs = 2000
const fewestLooks = 25

const linux = process.platform === 'linux'

/**
 * True if a process can adopt its orphaned descendants, and its children can be listed without scanning all
 * processes.
 */
const canAdopt = linux && isBuiltin('node:ffi') && existsSync('/proc/thread-self/children')

/** `leader` was started detached, with `processMark` set to `mark`; `adopts` if it called `prepareConfinement`. */
export function processTree(leader: number, mark: string, { adopts = false } = {}): ProcessTree {
  // A process once found stays in the tree, even if its parent has died since.
  const seen = new Set<number>([leader])

  const alive = (): number[] => {
    if (adopts && canAdopt) {
      const below = descendants(leader)
      if (below) return [leader, ...below]
    }
    return search()
  }
  const search = (): number[] => {
    const all = listProcesses()
    if (!linux) return groupAlive(leader) ? [leader] : []
    const byPid = new Map(all.map(each => [each.pid, each]))
    for (const pid of seen) if (!byPid.has(pid)) seen.delete(pid)
    let grew = true
    while (grew) {
      grew = false
      for (const each of all) {
        if (seen.has(each.pid) || each.pid === process.pid) continue
        if (each.group === leader || seen.has(each.parent)) {
          seen.add(each.pid)
          grew = true
        }
      }
    }
    for (const each of all) if (!seen.has(each.pid) && isMarked(each.pid, mark)) seen.add(each.pid)
    return [...seen]
  }

  const signal = (name: NodeJS.Signals) => {
    const pids = alive()
    for (const pid of pids) send(pid, name)
    if (!linux) send(-leader, name)
    return pids.length > 0
  }
  /** Returns true if all were killed. The leader goes last, because its descendants are found through it. */
  const destroyBelow = async (): Promise<boolean> => {
    if (!adopts || !canAdopt) return false
    send(leader, 'SIGSTOP')
    const mayLook = patience()
    for (let below = descendants(leader); below; below = descendants(leader)) {
      if (below.length === 0) return send(leader, 'SIGKILL')
      // Stop all of them first: a program killed one process at a time would fork in between.
      for (const name of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of below) send(pid, name)
      if (!mayLook()) return false
      await pause(2)
    }
    return false
  }
  const destroy = async () => {
    if (await destroyBelow()) return
    adopts = false
    const mayLook = patience()
    // A process has no mark for a moment while it starts another program, so one scan that finds nothing is not
    // enough.
    for (let quiet = 0; quiet < 2 && mayLook(); ) {
      quiet = signal('SIGKILL') ? 0 : quiet + 1
      if (quiet < 2) await pause(quiet === 0 ? 5 : 25)
    }
  }
  let destroyed: Promise<void> | null = null
  return {
    pids: alive,
    signal,
    destroy: () => {
      destroyed ??= destroy()
      return destroyed
    },
  }
}

/** True while there is time for another scan. */
function patience(): () => boolean {
  const deadline = performance.now() + patienceMs
  let looks = 0
  return () => ++looks <= fewestLooks || performance.now() < deadline
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

/** The processes that a killed runtime left on the volume `dir`. */
export function volumeProcesses(dir: string): number[] {
  const mark = volumeMarkOf(dir)
  return listProcesses()
    .map(each => each.pid)
    .filter(pid => pid !== process.pid && variableOf(pid, volumeMark) === mark)
}

function listProcesses(): Process[] {
  if (!linux) return []
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name)
    return Number.isInteger(pid) ? (livingProcess(pid) ?? []) : []
  })
}

/** Null for a process that has ended, even if its exit code has not been collected yet. */
function livingProcess(pid: number): Process | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The command's name is in parentheses and may contain anything, even parentheses and spaces.
  const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? null : { pid, parent: Number(parent), group: Number(group) }
}

/** All descendants of a process; null if it has ended. */
function descendants(pid: number): number[] | null {
  if (!livingProcess(pid)) return null
  const found: number[] = []
  const parents = [pid]
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const child of childrenOf(parent)) {
      // An ended process has no children, and stays in the list until its parent collects its exit code.
      if (!livingProcess(child)) continue
      found.push(child)
      parents.push(child)
    }
  }
  return found
}

function childrenOf(pid: number): number[] {
  let threads: string[] = []
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has ended.
  }
  const lists = threads.map(thread => read(`/proc/${pid}/task/${thread}/children`)?.trim())
  return lists.flatMap(list => (list ? list.split(' ').map(Number) : []))
}

function variableOf(pid: number, name: string): string | null {
  const environment = read(`/proc/${pid}/environ`)
  if (!environment?.includes(name)) return null
  const entry = environment.split('\0').find(each => each.startsWith(`${name}=`))
  return entry?.slice(name.length + 1) ?? null
}

function isMarked(pid: number, mark: string): boolean {
  return variableOf(pid, processMark) === mark
}

function groupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0)
    return true
  } catch {
    return false
  }
}

/** False if it has ended meanwhile, or may not be signalled. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return null
  }
}

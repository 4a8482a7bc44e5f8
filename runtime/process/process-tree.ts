import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { processMark, volumeMark, volumeMarkOf } from '../isolation/marks.ts'

interface Process {
  pid: number
  parent: number
  group: number
}

/**
 * What ends a process and everything that it started. While the process lives and adopts what is orphaned below it,
 * that is everything below it. Else it is its process group, its descendants by parentage, and those that left both but
 * still carry the mark in their environment. On systems without /proc, the group alone.
 */
export interface ProcessTree {
  /** Those that are alive. */
  pids(): number[]
  /** Sends the signal to every process of the tree that is alive; false when there is none. */
  signal(signal: NodeJS.Signals): boolean
  /**
   * Kills until nothing is left. It gives up after two seconds, and not before it has looked so often that a slow
   * machine is no reason; what forks faster than that keeps its last generation.
   */
  destroy(): Promise<void>
}

const patienceMs = 2000
const fewestLooks = 25

const linux = process.platform === 'linux'

/** Whether a process can adopt what is orphaned below it, and its children can be listed without looking at all. */
const canAdopt = linux && isBuiltin('node:ffi') && existsSync('/proc/thread-self/children')

/** `leader` was started detached, with `processMark` set to `mark`; `adopts` when it is one of `prepareConfinement`. */
export function processTree(leader: number, mark: string, { adopts = false } = {}): ProcessTree {
  // Who was once seen stays in the tree, also when its parent has died since.
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
  /** True when it was whole. The leader goes last: with it goes what its descendants are found by. */
  const destroyBelow = async (): Promise<boolean> => {
    if (!adopts || !canAdopt) return false
    send(leader, 'SIGSTOP')
    const mayLook = patience()
    for (let below = descendants(leader); below; below = descendants(leader)) {
      if (below.length === 0) return send(leader, 'SIGKILL')
      // Stopped first, all of them: what is killed one by one forks in between.
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
    // What is about to become another program bears no mark for a moment: one look that finds nothing is not enough.
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

/** Whether there is still time for another look. */
function patience(): () => boolean {
  const deadline = performance.now() + patienceMs
  let looks = 0
  return () => ++looks <= fewestLooks || performance.now() < deadline
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

/** The processes that a runtime which was killed left behind on the volume `dir`. */
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
  // The command's name stands in parentheses and may hold anything, parentheses and spaces included.
  const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? null : { pid, parent: Number(parent), group: Number(group) }
}

/** Everything below a process, itself left out; null when it has ended. */
function descendants(pid: number): number[] | null {
  if (!livingProcess(pid)) return null
  const found: number[] = []
  const parents = [pid]
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const child of childrenOf(parent)) {
      // What has ended has no children, and stays in the list until its parent asks for its exit code.
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

/** False when it has ended in the meantime, or is not ours to signal. */
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

import { readdirSync, readFileSync, statSync } from 'node:fs'

/** The variable that marks every process of one run or one reading of the manifest, however it detached itself. */
export const processMark = 'LONGHOUSE_RUN_ID'

/** The variable that marks every process that works for the runtime on one volume. */
export const volumeMark = 'LONGHOUSE_VOLUME'

/** Tells volumes of one machine apart, also those that bear the same name in containers of their own. */
export function volumeMarkOf(dir: string): string {
  const found = statSync(dir, { throwIfNoEntry: false })
  return `${found?.dev ?? 0}:${found?.ino ?? 0}`
}

interface Process {
  pid: number
  parent: number
  group: number
}

/**
 * What ends a process and everything that it started: its process group, its descendants by parentage, and those
 * that left both but still carry the mark in their environment. On systems without /proc, the group alone.
 */
export interface ProcessTree {
  /** Sends the signal to every process of the tree that is alive; false when there is none. */
  signal(signal: NodeJS.Signals): boolean
  /** Kills until nothing is left, for two seconds at most; what forks faster than that keeps its last generation. */
  destroy(): Promise<void>
}

const linux = process.platform === 'linux'

/** `leader` is a process that was started detached, with `processMark` set to `mark`. */
export function processTree(leader: number, mark: string): ProcessTree {
  // Who was once seen stays in the tree, also when its parent has died since.
  const seen = new Set<number>([leader])

  const alive = (): number[] => {
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
  return {
    signal,
    destroy: async () => {
      const deadline = Date.now() + 2000
      while (signal('SIGKILL') && Date.now() < deadline) await new Promise(done => setTimeout(done, 5))
    },
  }
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
  const all: Process[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = read(`/proc/${pid}/stat`)
    if (stat === null) continue
    // The command's name stands in parentheses and may hold anything, parentheses and spaces included.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state !== 'Z' && state !== 'X') all.push({ pid, parent: Number(parent), group: Number(group) })
  }
  return all
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

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended in the meantime, or is not ours to signal.
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return null
  }
}

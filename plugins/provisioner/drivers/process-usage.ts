import { readdir, readFile } from 'node:fs/promises'

/** What `/proc` says of the processes below one process, itself included. */
export interface TreeFigures {
  processorMs: number
  memoryBytes: number
  processes: number
}

interface Process {
  parent: number
  ticks: number
}

const ticksPerSecond = 100

/**
 * Measures the process trees below some processes of this host, by their ids. One that has ended is left out, and without
 * `/proc`, as on macOS, all are. Memory that processes share counts for each of them.
 */
export async function measureTrees(roots: readonly number[]): Promise<ReadonlyMap<number, TreeFigures>> {
  if (roots.length === 0) return new Map()
  const ids = (await readdir('/proc').catch((): string[] => []))
    .filter(name => /^\d+$/.test(name))
    .map(Number)
  const all = new Map<number, Process>()
  for (const id of ids) {
    const found = await processOf(id)
    if (found) all.set(id, found)
  }
  const children = Map.groupBy(all.keys(), id => all.get(id)?.parent ?? 0)
  const below = (id: number): number[] => [id, ...(children.get(id) ?? []).flatMap(below)]
  const measured = new Map<number, TreeFigures>()
  for (const root of roots) {
    if (!all.has(root)) continue
    const tree = below(root)
    const memory = await Promise.all(tree.map(residentBytes))
    const ticks = tree.reduce((sum, id) => sum + (all.get(id)?.ticks ?? 0), 0)
    measured.set(root, {
      processorMs: (ticks / ticksPerSecond) * 1000,
      memoryBytes: memory.reduce((sum, bytes) => sum + bytes, 0),
      processes: tree.length,
    })
  }
  return measured
}

/** Null for a process that has ended. */
async function processOf(id: number): Promise<Process | null> {
  const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => null)
  // The name in parentheses may hold anything. After it: the state, the parent, ..., and as 12th to 15th the times of the
  // process and of those of its children that have ended.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (!fields) return null
  const times = fields.slice(11, 15).map(Number)
  return { parent: Number(fields[1]), ticks: times.reduce((sum, each) => sum + each, 0) }
}

async function residentBytes(id: number): Promise<number> {
  const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

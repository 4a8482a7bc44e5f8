import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { ProcessTree } from './process-tree.ts'

const mib = 1024 * 1024

/** A run’s memory in a container of the default size. */
export const ordinaryMemoryMb = 384

/** The memory of this machine or container. */
export function containerMemoryBytes(): number {
  // Without a limit, systems report one beyond all memory.
  return Math.min(totalmem(), process.constrainedMemory() || totalmem())
}

/**
 * The default memory limit of a run and its children, in MiB: most of the container, so that a browser fits, and
 * never all of it; without a container limit, at most what a large one would have.
 */
export function memoryOfRunsMb(containerBytes: number): number {
  return Math.floor(Math.min(Math.max((containerBytes * 3) / 4 / mib, 64), 1024))
}

/** The heap size of a Node process with this memory limit: Node’s error for a full heap says more than being killed. */
export function heapMb(memoryMb: number): number {
  return Math.floor(Math.max(memoryMb - 64, memoryMb / 2))
}

const everyMs = 250

/**
 * Measures the memory of a process tree four times a second, less often when that is expensive, and calls back once
 * when it exceeds the limit. Returns its stop. File caches do not count, because the system can drop them; shared
 * memory counts once. Does nothing on systems without /proc.
 */
export function watchMemory(tree: ProcessTree | null, limitMb: number, onOver: () => void): () => void {
  if (!tree) return () => {}
  const limitBytes = limitMb * mib
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    const began = performance.now()
    if (isOver(tree.pids(), limitBytes)) return onOver()
    wait(Math.max(everyMs, (performance.now() - began) * 20))
  }
  const wait = (ms: number) => {
    timer = setTimeout(look, ms).unref()
  }
  wait(everyMs)
  return () => clearTimeout(timer)
}

/** Measuring shared memory is slow, so it is done only for a tree that may exceed the limit. */
function isOver(pids: readonly number[], limitBytes: number): boolean {
  const resident = pids.map(residentBytes)
  if (sum(resident) <= limitBytes) return false
  return sum(pids.map((pid, index) => shareBytes(pid) ?? resident[index] ?? 0)) > limitBytes
}

function residentBytes(pid: number): number {
  return fieldsBytes(`/proc/${pid}/status`, ['RssAnon', 'RssShmem', 'VmSwap']) ?? 0
}

/** Null for a process that we may not inspect, and on old systems. */
function shareBytes(pid: number): number | null {
  return fieldsBytes(`/proc/${pid}/smaps_rollup`, ['Pss_Anon', 'Pss_Shmem', 'SwapPss'])
}

function fieldsBytes(file: string, names: readonly string[]): number | null {
  try {
    const text = readFileSync(file, 'latin1')
    const found = names.flatMap(name => new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? [])
    return found.length === 0 ? null : sum(found.map(Number)) * 1024
  } catch {
    return null // It has ended, or is not ours to look into.
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

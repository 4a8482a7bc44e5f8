import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the kernel counts for one container. */
export interface CgroupFigures {
  processorMs: number
  memoryBytes: number
  processes: number
}

/** The folders of a container's control groups, in the order in which the figures need them. */
interface Place {
  version: 1 | 2
  processor: string
  memory: string
  processes: string
}

/** Where engines put a container's groups: with the cgroupfs driver, and with systemd's. */
const groupNames = (id: string) => [`docker/${id}`, `system.slice/docker-${id}.scope`]

/**
 * Reads what the kernel counts for a container, from one of `roots`, as `/sys/fs/cgroup` is on the host. It takes a fraction
 * of a millisecond, and the engine has no part in it. Null when the groups are not there: inside of a container that does
 * not see the host's, with an engine elsewhere, or once the container has ended.
 */
export async function cgroupFigures(roots: readonly string[], id: string): Promise<CgroupFigures | null> {
  for (const place of roots.flatMap(root => places(root, id))) {
    const found = await read(place).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENODEV' || error.code === 'ENOTDIR') return null
      throw error
    })
    if (found) return found
  }
  return null
}

function places(root: string, id: string): Place[] {
  return groupNames(id).flatMap((name): Place[] => {
    const one = join(root, name)
    const of = (controller: string) => join(root, controller, name)
    return [
      { version: 2, processor: one, memory: one, processes: one },
      { version: 1, processor: of('cpuacct'), memory: of('memory'), processes: of('pids') },
    ]
  })
}

async function read({ version, processor, memory, processes }: Place): Promise<CgroupFigures> {
  const text = (folder: string, file: string) => readFile(join(folder, file), 'utf8')
  const pids = Number(await text(processes, 'pids.current'))
  if (version === 2) {
    const used = Number(await text(memory, 'memory.current'))
    const cached = field(await text(memory, 'memory.stat'), 'inactive_file')
    const microseconds = field(await text(processor, 'cpu.stat'), 'usage_usec')
    return { processorMs: microseconds / 1000, memoryBytes: Math.max(0, used - cached), processes: pids }
  }
  const used = Number(await text(memory, 'memory.usage_in_bytes'))
  const cached = field(await text(memory, 'memory.stat'), 'total_inactive_file')
  const nanoseconds = Number(await text(processor, 'cpuacct.usage'))
  return { processorMs: nanoseconds / 1e6, memoryBytes: Math.max(0, used - cached), processes: pids }
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
}

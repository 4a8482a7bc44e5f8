import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const mountedAt = '/sys/fs/cgroup'

/** What a cgroup has of the host's memory, in bytes. */
export interface CgroupMemory {
  /** Heaps, stacks and other memory of the processes that no file backs, with files in memory (tmpfs). */
  own: number
  /** What the kernel keeps for them: tables, stacks, inodes. */
  kernel: number
  /** Pages of files. Those of the image are counted for the first container that reads them, and shared by all. */
  file: number
}

/** The cgroup of one container, of either version of the interface. */
export interface Cgroup {
  /** The processor time of all its processes, those that have ended too, in milliseconds. */
  processorMs(): number
  memory(): CgroupMemory
  /** What its processes are called, with what each has for itself, in bytes. */
  processes(): { name: string; own: number; threads: number }[]
}

/** The cgroup that this process is in. */
export function cgroupOf(pid: number): Cgroup {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  const pathOf = (controller: string) =>
    lines
      .map(line => line.split(':') as [string, string, string])
      .find(([, names]) => names.split(',').includes(controller))?.[2]
  const unified = pathOf('') ?? ''
  const second = existsSync(join(mountedAt, unified, 'memory.current'))
  const folder = (controller: string) =>
    second ? join(mountedAt, unified) : join(mountedAt, controller, pathOf(controller) ?? '')
  const number = (controller: string, file: string) =>
    Number(readFileSync(join(folder(controller), file), 'utf8'))
  const fields = (file: string, controller: string) =>
    Object.fromEntries(
      readFileSync(join(folder(controller), file), 'utf8')
        .trim()
        .split('\n')
        .map(line => line.split(' '))
        .map(([name, value]) => [name, Number(value)]),
    ) as Record<string, number>
  return {
    processorMs: () =>
      second ? (fields('cpu.stat', 'cpu').usage_usec ?? 0) / 1e3 : number('cpuacct', 'cpuacct.usage') / 1e6,
    memory: () => {
      const {
        anon = 0,
        shmem = 0,
        file = 0,
        rss = 0,
        cache = 0,
        kernel = 0,
      } = fields('memory.stat', 'memory')
      if (second) return { own: anon + shmem, kernel, file: file - shmem }
      return {
        own: rss + shmem,
        kernel: number('memory', 'memory.kmem.usage_in_bytes'),
        file: cache - shmem,
      }
    },
    processes: () =>
      readFileSync(join(folder('memory'), 'cgroup.procs'), 'utf8')
        .trim()
        .split('\n')
        .map(each => ({
          name: readFileSync(`/proc/${each}/cmdline`, 'utf8').split('\0').slice(0, 2).join(' '),
          own: 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1] ?? 0),
          threads: readdirSync(`/proc/${each}/task`).length,
        })),
  }
}

/** A cgroup of our own in which a process gets a part of one core at most. Needs root. */
export interface Share {
  take(pid: number): void
  /** Its processes must have ended. */
  remove(): void
}

export function shareOfCore(name: string, part: number): Share {
  const second = existsSync(join(mountedAt, 'cgroup.controllers'))
  const folder = second ? join(mountedAt, name) : join(mountedAt, 'cpu', name)
  const periodUs = 10_000
  const quotaUs = Math.round(periodUs * part)
  mkdirSync(folder)
  if (second) writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${periodUs}`)
  else {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodUs))
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quotaUs))
  }
  return {
    take: pid => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    remove: () => rmdirSync(folder),
  }
}

import type { ChildProcess } from 'node:child_process'
import { lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeScratchFolder, reachOfReader, scratchFolder } from '../isolation/reach.ts'
import { makeTemporary, type TemporaryFolder } from '../isolation/temporary.ts'
import { packagesOf } from '../modules/packages-of.ts'
import { startCustomerProgram } from '../process/child-program.ts'
import { type ProcessTree, processTree } from '../process/process-tree.ts'

/** A process that is ready for one request, or about to be. */
export interface Reader {
  child: ChildProcess
  /** The process tree; null if the process did not start. */
  tree: ProcessTree | null
  /** The real path of the jobs repo. */
  repo: string
  /** An empty folder next to the builds. */
  out: string
  temporary: TemporaryFolder
  /** Whether it waited for its request. */
  spare: boolean
  /** Whether it links packages ahead, so that only what it finds good counts. */
  links: boolean
}

/** A pool of readers, with a spare one while the code is being edited. */
export interface Readers {
  take(): Reader
  /** Prepares for a save: makes a reader ready, and keeps it for a while. */
  expect(): void
  /** The same, but only after the current work. */
  expectSoon(): void
  /** What the next spare readers link ahead: addresses of modules. */
  link(modules: readonly string[]): void
  /** That a reader has linked them might have made a difference. */
  unlink(): void
  /** The folder that the spare reader will build in. */
  folder(): string | null
  stop(): Promise<void>
}

/** How long the spare reader is kept after the last edit, so that an idle instance uses little memory. */
const keepMs = 65_000

/** Delays the next spare reader, so that what follows the reading is done first. */
const refillAfterMs = 100

export interface ReaderOptions {
  jobsDir: string
  buildsDir: string
  /** The volume; by default the parent of `buildsDir`. */
  volumeDir?: string | undefined
  memoryMb: number
}

/** As arguments of a process; more is not linked. */
const longestList = 32 * 1024

/** Packages may have changed meanwhile; what is in vain more often than this is no longer linked. */
const mostInVain = 2

export function startReader(options: ReaderOptions, modules: readonly string[] = []): Reader {
  const { jobsDir, buildsDir, volumeDir = dirname(buildsDir), memoryMb } = options
  const out = mkdtempSync(join(buildsDir, '.new-'))
  const temporary = makeTemporary(volumeDir, 'reader')
  try {
    const mark = `reading-${out.slice(-6)}`
    makeScratchFolder(jobsDir)
    const repo = realpathSync(jobsDir)
    const child = startCustomerProgram('manifest-reader', {
      volumeDir,
      cwd: repo,
      mark,
      reach: reachOfReader(volumeDir, { repo, out, temporary: temporary.path }),
      temporary,
      memoryMb,
      args: modules.length > 0 ? [repo, JSON.stringify(modules)] : [repo],
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const tree = child.pid === undefined ? null : processTree(child.pid, mark, { adopts: true })
    return { child, tree, repo, out, temporary, spare: false, links: modules.length > 0 }
  } catch (error) {
    rmSync(out, { recursive: true, force: true })
    void temporary.remove()
    throw error
  }
}

/** Ends a reader with its children, and keeps its build. */
export async function endReader({ child, tree, temporary }: Reader): Promise<void> {
  await tree?.destroy()
  void temporary.remove()
  for (const stream of child.stdio) stream?.destroy()
}

export function createReaders(options: ReaderOptions): Readers {
  let spare: (Reader & { place: string }) | null = null
  let refill: NodeJS.Timeout | undefined
  let goodbye: NodeJS.Timeout | undefined
  let leaving: Promise<unknown> = Promise.resolve()
  let stopped = false
  let modules: readonly string[] = []
  /** How often this list was linked in vain. */
  let inVain = { list: '[]', times: 0 }

  /**
   * Changes with the folder, the one in it that the reader may write, its installation, and its package.json, which Node
   * reads at its start and does not read again.
   */
  const placeOf = () => {
    const look = (path: string) => lstatSync(path, { throwIfNoEntry: false, bigint: true })
    const { jobsDir } = options
    const named = look(join(jobsDir, 'package.json'))
    return [
      packagesOf(jobsDir),
      ...[look(jobsDir)?.ino, look(join(jobsDir, scratchFolder))?.ino],
      ...[named?.ino, named?.size, named?.mtimeNs, named?.ctimeNs],
    ].join(' ')
  }
  const ready = () => {
    if (stopped || spare) return
    try {
      spare = { ...startReader(options, modules), spare: true, place: placeOf() }
    } catch {
      // The next load reports why.
      return
    }
    const made = spare
    const gone = () => {
      if (spare === made) dismiss()
    }
    made.child.once('error', gone).once('exit', gone)
  }
  const dismiss = () => {
    const left = spare
    spare = null
    if (!left) return
    const ended = endReader(left).finally(() => rmSync(left.out, { recursive: true, force: true }))
    leaving = Promise.all([leaving, ended])
  }
  const keep = () => {
    clearTimeout(goodbye)
    if (!stopped) goodbye = setTimeout(dismiss, keepMs).unref()
  }
  const expect = () => {
    clearTimeout(refill)
    ready()
    keep()
  }
  return {
    take: () => {
      clearTimeout(refill)
      // It started in the folder of that time, with its package.json; they have been replaced since.
      if (spare?.place !== placeOf()) dismiss()
      const taken = spare ?? startReader(options)
      spare = null
      return taken
    },
    expect,
    expectSoon: () => {
      clearTimeout(refill)
      if (!stopped) refill = setTimeout(expect, refillAfterMs).unref()
    },
    link: wanted => {
      const list = JSON.stringify(wanted)
      if (list !== inVain.list) inVain = { list, times: 0 }
      modules = list.length > longestList || inVain.times > mostInVain ? [] : wanted
    },
    unlink: () => {
      inVain.times++
    },
    folder: () => spare && basename(spare.out),
    stop: async () => {
      stopped = true
      clearTimeout(refill)
      clearTimeout(goodbye)
      dismiss()
      await leaving
    },
  }
}

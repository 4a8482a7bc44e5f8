import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { builtRoot } from '../../../src/root.ts'
import { DriverError, type FolderWork } from '../driver.ts'
import { FolderProgress, folderIdleMs } from '../folder-progress.ts'
import { FolderReport } from '../folder-report.ts'

interface FolderPrograms {
  /** The built program for copies. */
  copyProgram?: string
  /** How long work on a folder may make no progress. */
  folderIdleMs?: number
}

/**
 * Works on a folder with a child process of the control plane: see `Driver.workOnFolder`. It is ended when nothing moves for
 * `folderIdleMs`.
 */
export async function workInProcess(
  { copyProgram = builtRoot('copy.js'), folderIdleMs: idleMs = folderIdleMs }: FolderPrograms,
  { command, folder, options = {}, input, output, signal }: FolderWork,
): Promise<unknown> {
  const doing = `${command} ${folder}`
  const child = spawn(process.execPath, [copyProgram, command, folder, JSON.stringify(options)], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C in the terminal reaches the control plane, which ends its work in order.
    detached: true,
  })
  const progress = new FolderProgress(idleMs)
  const over = AbortSignal.any([signal, progress.signal])
  const kill = () => {
    killGroup(child)
    // A program that waits for a disk that is gone does not even end when it is killed.
    if (progress.signal.aborted) child.stdout.destroy()
  }
  over.addEventListener('abort', kill)
  if (over.aborted) kill()
  const report = new FolderReport()
  child.stderr.on('data', piece => {
    report.add(piece)
    progress.moved()
  })
  const closed = once(child, 'close', { signal: progress.signal })
  closed.catch(() => {})
  const fed = progress.feed(input, child.stdin)
  try {
    for await (const piece of child.stdout)
      if (output) await progress.passOn(output, piece, over)
      else progress.moved()
    await closed
    if (signal.aborted) throw new DriverError(`could not ${doing}: it was ended`, { permanent: false })
    const result = report.read(doing)
    await fed
    return result
  } catch (error) {
    throw progress.fault(doing, report) ?? error
  } finally {
    progress.end()
    over.removeEventListener('abort', kill)
    killGroup(child)
  }
}

/** Kills a program that has not ended, and what it started: git, or a runtime on a copy. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

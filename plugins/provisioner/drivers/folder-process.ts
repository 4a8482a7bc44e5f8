import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DriverError, type FolderWork } from '../driver.ts'
import { FolderReport, passOn } from '../folder-report.ts'

/** Works on a folder with a child process of the control plane: see `Driver.workOnFolder`. */
export async function workInProcess(
  program: string,
  { command, folder, options = {}, input, output, signal }: FolderWork,
): Promise<unknown> {
  const doing = `${command} ${folder}`
  const child = spawn(process.execPath, [program, command, folder, JSON.stringify(options)], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C in the terminal reaches the control plane, which ends its work in order.
    detached: true,
  })
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill)
  if (signal.aborted) kill()
  const report = new FolderReport()
  child.stderr.on('data', piece => report.add(piece))
  const closed = once(child, 'close')
  // A program that has failed reads no further; its report says why.
  const fed = pipeline(input ?? Readable.from([]), child.stdin).catch((error: unknown) => error)
  try {
    for await (const piece of child.stdout) if (output) await passOn(output, piece, signal)
    await closed
    if (signal.aborted) throw new DriverError(`could not ${doing}: it was ended`, { permanent: false })
    const result = report.read(doing)
    await fed
    return result
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
  }
}

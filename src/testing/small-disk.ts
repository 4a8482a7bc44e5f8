import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface SmallDisk {
  dir: string
  /** Fills the disk to the last byte. */
  fill(): void
  /** Frees what `fill` took. */
  free(): void
}

/** A small disk in memory. Skips the test, and returns null, if this user may not mount one. */
export function smallDisk(
  t: TestContext,
  { mebibytes, files }: { mebibytes: number; files?: number },
): SmallDisk | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    t.skip('only root can mount a small disk: run the tests as root on Linux')
    return null
  }
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-small-'))
  const most = files === undefined ? '' : `,nr_inodes=${files}`
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m${most}`, 'tmpfs', dir], { stdio: 'pipe' })
  } catch {
    rmdirSync(dir)
    t.skip('a small disk cannot be mounted here: run the tests as root, outside of a container')
    return null
  }
  t.after(() => {
    // Lazily, because a program with an open file on it may end after this.
    execFileSync('umount', ['--lazy', dir])
    rmdirSync(dir)
  })
  const filler = join(dir, 'filler')
  return {
    dir,
    fill: () => {
      for (const block of [Buffer.alloc(64 * 1024), Buffer.alloc(1)]) appendUntilFull(filler, block)
    },
    free: () => rmSync(filler),
  }
}

function appendUntilFull(file: string, block: Buffer): void {
  try {
    for (;;) appendFileSync(file, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

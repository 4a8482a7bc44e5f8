import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty folder, in the system's temporary folder by default, which is deleted when the test ends. */
export function temporaryFolder(t: Pick<TestContext, 'after'>, place = tmpdir()): string {
  const folder = mkdtempSync(join(realpathSync(place), 'longhouse-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }))
  return folder
}

/** The same in memory, if the system supports it: for tests that would wait for a disk thousands of times. */
export function memoryFolder(t: Pick<TestContext, 'after'>): string {
  return temporaryFolder(t, memoryPlace())
}

export function memoryPlace(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

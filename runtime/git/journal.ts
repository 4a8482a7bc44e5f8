import { join } from 'node:path'

/** The journal's path: it exists only while a checkout is in progress in this jobs repo, or after one was killed. */
export function journalPath(dir: string): string {
  return join(dir, '.git/longhouse-sync/journal.json')
}

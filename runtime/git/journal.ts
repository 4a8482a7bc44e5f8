import { join } from 'node:path'

/** There only while a checkout is going on in this jobs repo, or after one was killed. */
export function journalPath(dir: string): string {
  return join(dir, '.git/longhouse-sync/journal.json')
}

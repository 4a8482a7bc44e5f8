import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { builtRoot } from '../../src/root.ts'
import { version } from '../../src/version.ts'
import { jobSpecVersion } from './manifest.ts'

/** What a load of the jobs depends on besides the files. */
export function programVersion(timezone: string): string {
  const sdk = createHash('sha256')
    .update(readFileSync(builtRoot('sdk/jobs.js')))
    .digest('hex')
  return [version, sdk.slice(0, 12), jobSpecVersion(), timezone].join(' ')
}

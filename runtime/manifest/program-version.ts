import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { builtRoot } from '../../src/root.ts'
import { version } from '../../src/version.ts'
import { jobSpecVersion } from './manifest.ts'

/** Everything besides the files that a load of the jobs depends on. */
export function programVersion(timezone: string): string {
  const sdk = createHash('sha256')
    .update(readFileSync(builtRoot('sdk/jobs.js')))
    .digest('hex')
  return [version, sdk.slice(0, 12), jobSpecVersion(), timezone].join(' ')
}

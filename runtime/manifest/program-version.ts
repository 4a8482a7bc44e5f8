import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { builtRoot, programRoot } from '../../src/root.ts'
import { version } from '../../src/version.ts'
import { jobSpecVersion } from './manifest.ts'

/** Everything besides the files that a load of the jobs depends on. */
export function programVersion(timezone: string): string {
  const sdk = createHash('sha256')
    .update(readFileSync(builtRoot('sdk/jobs.js')))
    .digest('hex')
  return [version, sdk.slice(0, 12), builtJobSpecVersion(), timezone].join(' ')
}

/** Where a build writes down what it would take a twentieth of a start to compute. */
export const jobSpecFile = 'runtime/job-spec-version'

function builtJobSpecVersion(file = programRoot(jobSpecFile)): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : jobSpecVersion()
}

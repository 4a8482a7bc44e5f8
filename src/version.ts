import { readFileSync } from 'node:fs'
import { programRoot } from './root.ts'

/** The version of Longhouse, from its package. */
export const version: string = (
  JSON.parse(readFileSync(programRoot('package.json'), 'utf8')) as { version: string }
).version

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { readText } from './files/package-files.ts'
import { markFile, readWanted } from './files/wanted.ts'
import type { Installations } from './installations.ts'

/** Makes an installation of what an older version of this program put into the repo. */
export function adoptFolder(jobsDir: string, installations: Installations, clock: Clock): void {
  const wanted = readWanted(jobsDir)
  const isOurs = wanted?.there && readText(join(jobsDir, markFile)) === wanted.key
  if (!isOurs || wanted.own.manifests.size > 0 || !lstatSync(join(jobsDir, 'node_modules')).isDirectory())
    return
  installations.adopt(wanted.name, clock.now())
}

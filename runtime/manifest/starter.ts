import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { programRoot } from '../../src/root.ts'
import { readRegular } from '../../src/storage/regular-file.ts'
import { scratchFolder } from '../isolation/reach.ts'
import { buildCode, buildIndex } from '../modules/build.ts'

/** What git, npm and runs put beside the files; none has a say in what the starter jobs compile to. */
const beside = new Set(['.git', 'node_modules', scratchFolder])

/**
 * What the manifest reader would answer for the starter jobs: they are compiled and read when the program is built, so
 * that a new instance need not. Puts their build into `out`. Null when the repo holds anything else than just them, or
 * when the program runs from source.
 */
export function readStarter(jobsDir: string, out: string, made = programRoot('starter')): unknown {
  try {
    const reading: unknown = JSON.parse(readFileSync(join(made, 'reading.json'), 'utf8'))
    if (!isSame(programRoot('jobs-template'), jobsDir)) return null
    for (const name of [buildIndex, buildCode]) {
      copyFileSync(join(made, name), join(out, name))
    }
    return reading
  } catch {
    return null // There is none, or the repo is being changed right now: the reader has the last word.
  }
}

/** True when both folders hold the same files: one more could be found in the place of another. */
function isSame(template: string, dir: string, ignored: ReadonlySet<string> = beside): boolean {
  const wanted = readdirSync(template, { withFileTypes: true }).filter(entry => !ignored.has(entry.name))
  const names = new Set(wanted.map(entry => entry.name))
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (!names.has(entry.name) && !ignored.has(entry.name)) return false
  }
  return wanted.every(entry => {
    const [from, to] = [join(template, entry.name), join(dir, entry.name)]
    if (entry.isDirectory()) return isSame(from, to, new Set())
    const content = readFileSync(from)
    return readRegular(to, content.length)?.equals(content) ?? false
  })
}

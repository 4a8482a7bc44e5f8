import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programRoot } from '../../src/root.ts'
import { readRegular } from '../../src/storage/regular-file.ts'
import { starterFilesAs } from '../git/starter-files.ts'
import { scratchFolder } from '../isolation/reach.ts'
import { copyBuildWith } from '../modules/write-build.ts'

/** What git, npm and runs put beside the files; none has a say in what the starter jobs compile to. */
const beside = new Set(['.git', 'node_modules', scratchFolder])

/**
 * What the manifest reader would answer for the starter jobs: they are compiled and read when the program is built, so
 * that a new instance need not. Puts their build into `out`. Null when the repo holds anything else than just them, or
 * when the program runs from source.
 */
export function readStarter(jobsDir: string, out: string, made = programRoot('starter')): unknown {
  try {
    const reading: object = JSON.parse(readFileSync(join(made, 'reading.json'), 'utf8'))
    const wanted = starterFilesAs(readRegular(join(jobsDir, 'package.json'), 64 * 1024))
    if (!isSame(wanted, jobsDir)) return null
    const packageJson = wanted.get('package.json')
    if (!packageJson) return null
    // It names the address of this instance.
    return { ...reading, code: copyBuildWith(made, out, 'package.json', packageJson) }
  } catch {
    return null // There is none, or the repo is being changed right now: the reader has the last word.
  }
}

/** The folders above a file, the repo itself included. */
function foldersOf(path: string): string[] {
  const folder = dirname(path)
  return folder === '.' ? ['.'] : [folder, ...foldersOf(folder)]
}

/** True when the folder holds just these files: one more could be found in the place of another. */
function isSame(wanted: ReadonlyMap<string, Buffer>, dir: string): boolean {
  const folders = new Set([...wanted.keys()].flatMap(foldersOf))
  const isKnown = (path: string, entry: Dirent) => (entry.isDirectory() ? folders : wanted).has(path)
  for (const folder of folders) {
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      if (folder === '.' && beside.has(entry.name)) continue
      if (!isKnown(join(folder, entry.name), entry)) return false
    }
  }
  return [...wanted].every(
    ([path, content]) => readRegular(join(dir, path), content.length)?.equals(content) ?? false,
  )
}

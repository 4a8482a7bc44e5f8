import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { programRoot } from '../../src/root.ts'

/** The starter files of a new instance, by their paths in the repo. */
export function starterFiles(template = programRoot('jobs-template')): Map<string, Buffer> {
  const files = readdirSync(template, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !file.split('/').includes('node_modules'))
  return new Map(files.map(file => [relative(template, file), readFileSync(file)]))
}

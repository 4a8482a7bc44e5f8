import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programRoot } from '../../src/root.ts'

/** Puts the starter files where there is nothing at all. Returns false, and touches nothing, where there is something. */
export function bootstrapJobs(jobsDir: string): boolean {
  if (existsSync(jobsDir) && readdirSync(jobsDir).length > 0) return false
  cpSync(programRoot('jobs-template'), jobsDir, {
    recursive: true,
    errorOnExist: true,
    force: false,
    filter: source => !source.split('/').includes('node_modules'),
  })
  return true
}

const sdkFiles = ['package.json', 'jobs.js', 'jobs.d.ts']

/**
 * Puts `longhouse/jobs` where editors and tests find it, and keeps it up to date. A package of that name that is not
 * ours is left alone. Jobs do not need it: the build has its own.
 */
export function installSdk(jobsDir: string): void {
  const from = programRoot('runtime/sdk')
  const to = join(jobsDir, 'node_modules/longhouse')
  if (existsSync(to) && !isOurs(to)) return
  for (const name of sdkFiles) {
    const content = readFileSync(join(from, name))
    const file = join(to, name)
    if (existsSync(file) && readFileSync(file).equals(content)) continue
    mkdirSync(to, { recursive: true })
    writeFileSync(file, content)
  }
}

function isOurs(dir: string): boolean {
  try {
    const found = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { description?: unknown }
    return String(found.description).includes('Put here by Longhouse')
  } catch {
    return readdirSync(dir).length === 0
  }
}

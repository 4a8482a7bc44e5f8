import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { programRoot } from '../../src/root.ts'
import { readRegular } from '../../src/storage/regular-file.ts'
import { packagesOf } from '../modules/packages-of.ts'

const sdkFiles = ['package.json', 'jobs.js', 'jobs.d.ts', 'text.d.ts']

/**
 * Puts `longhouse/jobs` where editors and tests find it, and keeps it up to date. Leaves a package of that name that
 * is not ours alone, and any place behind a link. Failures are logged: builds contain their own copy.
 */
export function offerSdk(jobsDir: string, log: Logger): void {
  try {
    installSdk(jobsDir)
  } catch (error) {
    log.warn({ err: error }, 'the types of longhouse/jobs could not be put into the jobs repo')
  }
}

export function installSdk(jobsDir: string): void {
  const from = programRoot('sdk')
  const modules = join(packagesOf(jobsDir) ?? jobsDir, 'node_modules')
  const to = join(modules, 'longhouse')
  if (!isFolder(jobsDir) || !isFolderOrFree(modules) || !isFolderOrFree(to)) return
  if (isFolder(to) && !isOurs(to)) return
  for (const name of sdkFiles) {
    const content = readFileSync(join(from, name))
    const file = join(to, name)
    const there = lstatSync(file, { throwIfNoEntry: false })
    if (there && !there.isFile()) continue
    if (there && readRegular(file, content.length)?.equals(content)) continue
    mkdirSync(to, { recursive: true })
    writeFileSync(file, content)
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isFolderOrFree(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true
}

function isOurs(dir: string): boolean {
  if (readdirSync(dir).length === 0) return true
  try {
    const text = readRegular(join(dir, 'package.json'), 64 * 1024)?.toString('utf8') ?? ''
    const found = JSON.parse(text) as { description?: unknown }
    return String(found.description).includes('Put here by Longhouse')
  } catch {
    return false
  }
}

import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { OwnFolders } from './files/own-folders.ts'
import { isFolderOf } from './files/own-folders.ts'
import { type Lock, lockFiles, type Manifest, parseText, readPlain, readText } from './files/package-files.ts'
import { markFile, readWanted } from './files/wanted.ts'

/**
 * Puts what npm reads into the folder it works in: `package.json`, the lockfile, `.npmrc`, and of the repo's own packages
 * their `package.json`, the packed ones, and something in the place of each command, so that npm links to it.
 */
export function fillStage(stage: string, jobsDir: string, { manifests, archives }: OwnFolders): void {
  const manifest = parseText<Record<string, unknown>>(readText(join(jobsDir, 'package.json')) ?? '') ?? {}
  // The repo's own scripts want the repo around them, and often its development packages; what its developers use for
  // their work says nothing about an instance.
  for (const field of ['scripts', 'devEngines', 'packageManager']) delete manifest[field]
  writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest, null, 2))
  for (const name of [...lockFiles, '.npmrc']) {
    const text = readText(join(jobsDir, name))
    if (text !== null) writeFileSync(join(stage, name), text)
  }
  for (const [folder, own] of manifests) {
    const text = readText(join(jobsDir, folder, 'package.json'))
    if (text === null) continue
    mkdirSync(join(stage, folder), { recursive: true })
    writeFileSync(join(stage, folder, 'package.json'), text)
    for (const command of commandsOf(own)) standIn(join(stage, folder), join(jobsDir, folder), command)
  }
  for (const path of archives) {
    const from = join(jobsDir, path)
    const isInRepo = dirname(from) === jobsDir || isFolderOf(jobsDir, dirname(from))
    const packed = isInRepo ? readPlain(from) : null
    if (packed === null) continue
    mkdirSync(dirname(join(stage, path)), { recursive: true })
    writeFileSync(join(stage, path), packed)
  }
}

function commandsOf({ bin }: Manifest): string[] {
  const named = typeof bin === 'string' ? [bin] : Object.values(Object(bin) as Record<string, unknown>)
  return named.filter(each => typeof each === 'string').filter(each => !each.split('/').includes('..'))
}

/** npm links only to a command that is there. */
function standIn(place: string, folder: string, command: string): void {
  const file = join(place, command)
  if (existsSync(file) || !existsSync(join(folder, command))) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
}

/** What npm says of what it installed: read before a script of a package runs, which may write all of it. */
export interface Fetched {
  lock: { name: string; text: string } | null
  /** What this installation is of; null when npm left no `package.json`. */
  key: string | null
  /** Links to the repo's own packages: where each is, and the folder of the repo that it leads to. */
  links: readonly { path: string; folder: string }[]
}

export function readFetched(stage: string): Fetched {
  const { packages = {} } =
    parseText<Lock>(readText(join(stage, 'node_modules/.package-lock.json')) ?? '') ?? {}
  const lock = lockFiles.flatMap(name => {
    const text = readText(join(stage, name))
    return text === null ? [] : [{ name, text }]
  })[0]
  return {
    lock: lock ?? null,
    key: readWanted(stage)?.key ?? null,
    links: Object.entries(packages).flatMap(([path, { link, resolved }]) =>
      link && resolved !== undefined ? [{ path, folder: resolved }] : [],
    ),
  }
}

/**
 * Moves what npm installed into `made`, in the same shape: `node_modules` of the repo, and those of its own packages,
 * whose folders it returns. Links to the repo's own packages lead to the repo from `home` on, where `made` will lie. Scripts of
 * packages may have put links into `stage`: what is behind one is left alone. Null if one is in place of a folder.
 */
export function takeInstalled(
  stage: string,
  made: string,
  { jobsDir, home, own, links }: { jobsDir: string; home: string; own: OwnFolders } & Pick<Fetched, 'links'>,
): string[] | null {
  const modules = join(stage, 'node_modules')
  if (!lstatSync(modules, { throwIfNoEntry: false })) mkdirSync(modules)
  if (!isFolderOf(stage, modules)) return null
  for (const { path, folder } of links) {
    if (!isFolderOf(stage, dirname(join(stage, path)))) return null
    rmSync(join(stage, path), { recursive: true, force: true })
    symlinkSync(relative(dirname(join(home, path)), join(jobsDir, folder)), join(stage, path))
  }
  // Written by us once all is in place.
  rmSync(join(stage, markFile), { recursive: true, force: true })
  mkdirSync(made)
  renameSync(modules, join(made, 'node_modules'))
  return [...own.manifests.keys()].filter(folder => {
    const nested = join(stage, folder, 'node_modules')
    if (!isFolderOf(stage, nested)) return false
    mkdirSync(join(made, folder), { recursive: true })
    renameSync(nested, join(made, folder, 'node_modules'))
    return true
  })
}

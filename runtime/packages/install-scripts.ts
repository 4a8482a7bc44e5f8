import { lstatSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isWithin } from '../isolation/reach.ts'
import { readText } from './wanted.ts'

/** The install scripts to run after an installation. */
export interface InstallScripts {
  /** The arguments of `npm rebuild`. npm decides by `allowScripts` which of these packages may run theirs. */
  specs: string[]
  /** Folders of the repo whose own scripts are among them: the scripts may write there. */
  folders: string[]
  /** Packages with scripts that are not run, because nothing allows any. */
  passedOver: string[]
  /** Packages from git with a script that builds them, which is never run here. */
  unbuilt: string[]
}

interface Installed {
  version?: string
  resolved?: string
  hasInstallScript?: boolean
  inBundle?: boolean
  link?: boolean
}

/**
 * Reads what was installed into `dir`. Packages of the repo itself (`file:`, workspaces) are included only if
 * `allowScripts` names them, by path or, for a workspace, by name: npm would run a workspace's scripts in any case.
 * The repo's own `package.json` is never included.
 */
export function installScripts(dir: string): InstallScripts {
  const allowed = allowedIn(parse(readText(join(dir, 'package.json'))).allowScripts)
  const anyAllowed = allowed.length > 0 || /^\s*allow-scripts\b/m.test(readText(join(dir, '.npmrc')) ?? '')
  const packages = parse(readText(join(dir, 'node_modules/.package-lock.json'))).packages ?? {}
  const installed = Object.entries(packages as Record<string, Installed>)

  const links = new Map(
    installed.flatMap(([path, { link, resolved }]) =>
      link && resolved ? [[nameOf(path), join(dir, resolved)] as const] : [],
    ),
  )
  const folders = allowed.flatMap(key => {
    const folder =
      links.get(key) ?? (/^(file:|\.)/.test(key) ? resolve(dir, key.replace(/^file:/, '')) : null)
    return folder && isFolderOf(dir, folder) ? [folder] : []
  })
  const fetched = installed.filter(
    ([path, { hasInstallScript, inBundle, link }]) =>
      path.includes('node_modules/') && hasInstallScript && !inBundle && !link && !links.has(nameOf(path)),
  )
  const names = fetched.map(([path]) => nameOf(path))
  const unbuilt = installed.flatMap(([path, { resolved, link }]) =>
    !link && /^git\b/.test(resolved ?? '') && isBuiltByScript(join(dir, path)) ? [nameOf(path)] : [],
  )
  if (!anyAllowed) return { specs: [], folders: [], passedOver: names, unbuilt }
  const specs = fetched.map(([path, { version }]) => (version ? `${nameOf(path)}@${version}` : nameOf(path)))
  return { specs: [...new Set([...specs, ...folders])], folders, passedOver: [], unbuilt }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** The scripts that npm would run in a clone before it packs it. */
function isBuiltByScript(folder: string): boolean {
  const { scripts } = parse(readText(join(folder, 'package.json')))
  return ['prepare', 'prepack', 'build'].some(name => name in Object(scripts))
}

function allowedIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, allowed]) => (allowed === true ? [key] : []))
}

/** True below the repo, without a link on the way. */
function isFolderOf(dir: string, folder: string): boolean {
  if (folder === dir || !isWithin(folder, dir) || isWithin(folder, join(dir, '.git'))) return false
  for (let each = folder; each !== dir; each = dirname(each)) {
    if (!lstatSync(each, { throwIfNoEntry: false })?.isDirectory()) return false
  }
  return true
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

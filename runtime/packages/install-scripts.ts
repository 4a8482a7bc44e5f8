import { join, resolve } from 'node:path'
import { isFolderOf } from './files/own-folders.ts'
import { parseText, readText } from './files/package-files.ts'

/** The install scripts to run after an installation. */
export interface InstallScripts {
  /** The arguments of `npm rebuild`. npm decides by `allowScripts` which of these packages may run theirs. */
  specs: string[]
  /** The same for optional packages, with their folders: one that fails is left out, as npm does. */
  optional: { spec: string; path: string }[]
  /** Absolute folders of the repo's own packages whose scripts are allowed: they run there, and may write there. */
  folders: string[]
  /** Packages with scripts that are not run, because nothing allows any. */
  passedOver: string[]
  /** Packages from git with a script that builds them, which is never run here. */
  unbuilt: string[]
}

interface Installed {
  version?: string
  optional?: boolean
  resolved?: string
  hasInstallScript?: boolean
  inBundle?: boolean
  link?: boolean
}

/**
 * Reads what was installed into `dir` for the repo in `jobsDir`. Packages of the repo itself (`file:`, workspaces) are included only if
 * `allowScripts` names them, by path or, for a workspace, by name: npm would run a workspace's scripts in any case.
 * The repo's own `package.json` is never included.
 */
export function installScripts(dir: string, jobsDir = dir): InstallScripts {
  const allowed = allowedIn(objectIn(join(dir, 'package.json')).allowScripts)
  const anyAllowed = allowed.length > 0 || /^\s*allow-scripts\b/m.test(readText(join(dir, '.npmrc')) ?? '')
  const packages = objectIn(join(dir, 'node_modules/.package-lock.json')).packages ?? {}
  const installed = Object.entries(packages as Record<string, Installed>)

  const links = new Map(
    installed.flatMap(([path, { link, resolved }]) =>
      link && resolved ? [[nameOf(path), join(jobsDir, resolved)] as const] : [],
    ),
  )
  const folders = allowed.flatMap(key => {
    const folder =
      links.get(key) ?? (/^(file:|\.)/.test(key) ? resolve(jobsDir, key.replace(/^file:/, '')) : null)
    return folder && isFolderOf(jobsDir, folder) ? [folder] : []
  })
  const fetched = installed.filter(
    ([path, { hasInstallScript, inBundle, link }]) =>
      path.includes('node_modules/') && hasInstallScript && !inBundle && !link && !links.has(nameOf(path)),
  )
  const names = fetched.map(([path]) => nameOf(path))
  const unbuilt = installed.flatMap(([path, { resolved, link }]) =>
    !link && /^git\b/.test(resolved ?? '') && isBuiltByScript(join(dir, path)) ? [nameOf(path)] : [],
  )
  if (!anyAllowed) return { specs: [], optional: [], folders: [], passedOver: names, unbuilt }
  const specOf = (path: string, { version }: Installed) =>
    version ? `${nameOf(path)}@${version}` : nameOf(path)
  const specs = fetched.filter(([, { optional }]) => !optional).map(([path, each]) => specOf(path, each))
  const optional = fetched
    .filter(([, each]) => each.optional)
    .map(([path, each]) => ({ spec: specOf(path, each), path: join(dir, path) }))
  return { specs: [...new Set(specs)], optional, folders: [...new Set(folders)], passedOver: [], unbuilt }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** The scripts that npm would run in a clone before it packs it. */
function isBuiltByScript(folder: string): boolean {
  const { scripts } = objectIn(join(folder, 'package.json'))
  return ['prepare', 'prepack', 'build'].some(name => name in Object(scripts))
}

function allowedIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, allowed]) => (allowed === true ? [key] : []))
}

const objectIn = (file: string) => parseText<Record<string, unknown>>(readText(file) ?? '') ?? {}

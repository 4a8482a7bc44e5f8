import { existsSync } from 'node:fs'
import type { ResolveHookContext } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { OpenBuild } from './build.ts'
import { ownPaths, packageBehind } from './own-packages.ts'
import { findFile } from './resolve.ts'

/** A place and no name: a path, or the address of a file. */
export const isPlace = /^(file:|\/)/

/** How names and addresses lead to the files of a build, which may no longer lie in the repo. */
export interface Places {
  /** The path of a file of the build; null for any other module. */
  pathOf(url: string | undefined): string | null
  /**
   * The path of the file of the build at a place that is named whole, or that is named by a file of the repo that is not
   * of the build. Node would ask the `package.json` of now whether the file is a module.
   */
  placed(specifier: string, context: ResolveHookContext): string | null
  /**
   * What a name stands for in a file of the build, by `package.json` of the commit, when it is no code: a package, or a
   * file as it is now. Any other name stands for itself. Throws Node's error for `#name` that says nothing.
   */
  named(specifier: string, importer: string, context: ResolveHookContext): string
}

export function placesIn(build: OpenBuild, repo: string): Places {
  const root = pathToFileURL(`${repo}/`).href
  const placeOf = (url: string | undefined): string | null =>
    url?.startsWith(root) ? decodeURIComponent(url.slice(root.length).replace(/[?#].*$/s, '')) : null
  return {
    pathOf: url => {
      const path = placeOf(url)
      return path !== null && Object.hasOwn(build.files, path) ? path : null
    },
    placed: (specifier, { parentURL = '', conditions }) => {
      const isRelative = /^\.{1,2}(\/|$)/.test(specifier) && parentURL.startsWith(root)
      if (!isRelative && !isPlace.test(specifier)) return null
      const asPath = conditions.includes('require') && !specifier.startsWith('file:')
      const url = asPath
        ? pathToFileURL(isRelative ? join(dirname(fileURLToPath(parentURL)), specifier) : specifier).href
        : URL.parse(specifier, parentURL.startsWith('file:') ? parentURL : root)?.href
      const place = placeOf(url)
      return place === null ? null : findFile(build, place)
    },
    named: (specifier, importer, { conditions }) => {
      const files = ownPaths(build, specifier, importer, conditions).map(path => join(repo, path))
      const file = files.find(each => existsSync(each)) ?? files[0]
      if (file !== undefined) return conditions.includes('require') ? file : pathToFileURL(file).href
      if (!specifier.startsWith('#')) return specifier
      const behind = packageBehind(build, specifier, importer, conditions)
      if (behind === null) throw notDefined(specifier, join(repo, importer))
      return behind
    },
  }
}

function notDefined(specifier: string, importer: string): Error {
  const message = `Package import specifier "${specifier}" is not defined in package.json, imported from ${importer}`
  return Object.assign(new TypeError(message), { code: 'ERR_PACKAGE_IMPORT_NOT_DEFINED' })
}

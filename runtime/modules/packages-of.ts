import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { packagesFolder } from '../isolation/reach.ts'

/** The name of an installation, as far as it differs from any other name. */
export const installationName = /^[0-9a-f]{20}$/

/** In the folder of a build, the file with the name of the installation that it was read with; not there for none. */
export const buildPackages = 'packages'

/**
 * The installation that `node_modules` of a repo leads to: a folder that holds `node_modules`. Null when the packages lie
 * in the repo itself, or there are none. Only links to installations count; any other link leads out of the repo.
 */
export function packagesOf(repo: string): string | null {
  try {
    const modules = realpathSync(join(repo, 'node_modules'))
    const installation = dirname(modules)
    const known =
      basename(modules) === 'node_modules' &&
      installationName.test(basename(installation)) &&
      basename(dirname(installation)) === packagesFolder
    return known ? installation : null
  } catch {
    return null
  }
}

/** The name of the installation that a build was read with; null for none. The build may say anything. */
export function packagesOfBuild(build: string): string | null {
  try {
    const name = readFileSync(join(build, buildPackages), 'utf8')
    return installationName.test(name) ? name : null
  } catch {
    return null
  }
}

import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildIndex } from '../modules/build.ts'
import { packagesOfBuild } from '../modules/packages-of.ts'

export function hasBuild(buildsDir: string, build: string): boolean {
  return existsSync(join(buildsDir, build, buildIndex))
}

/** Names of the installations of packages that these builds were read with. */
export function packagesOfBuilds(buildsDir: string, builds: Iterable<string>): string[] {
  return [...builds].flatMap(build => packagesOfBuild(join(buildsDir, build)) ?? [])
}

/** Deletes builds that are no longer needed, unfinished ones included. */
export async function pruneBuilds(buildsDir: string, needed: ReadonlySet<string>): Promise<void> {
  for (const name of readdirSync(buildsDir)) {
    if (!needed.has(name)) await rm(join(buildsDir, name), { recursive: true, force: true })
  }
}

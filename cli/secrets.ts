import * as fs from 'node:fs'
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseEnv } from 'node:util'
import { readRegular } from '../src/storage/regular-file.ts'
import { CommandError } from './command/jobs-folder.ts'

/** The file with a jobs repo's secrets on one machine; git must ignore it. */
const file = '.env'
const mostBytes = 1024 * 1024

/** Returns the secrets with these names, from the environment or `.env`. An empty one counts as not set. */
export function localSecrets(
  names: Iterable<string>,
  dir: string,
): { values: Record<string, string>; missing: string[] } {
  const kept = readFile(dir)
  const values: Record<string, string> = {}
  const missing: string[] = []
  for (const name of names) {
    const value = process.env[name] || kept[name]
    if (value) values[name] = value
    else missing.push(name)
  }
  return { values, missing }
}

/** Null unless the next commit would contain the secrets of `.env`. */
export async function exposureOf(dir: string): Promise<string | null> {
  const root = existsSync(join(dir, file)) ? gitRootOf(dir) : null
  if (root === null) return null
  const { default: git } = await import('isomorphic-git')
  const ignored = await git.isIgnored({ fs, dir: root, filepath: relative(root, join(dir, file)) })
  return ignored
    ? null
    : `git does not ignore ${file}: add it to .gitignore, or its secrets end up in the history`
}

function readFile(dir: string): Partial<Record<string, string>> {
  if (!existsSync(join(dir, file))) return {}
  const content = readRegular(join(dir, file), mostBytes)
  if (content === null) throw new CommandError(`${file} is not a file of at most 1 MiB`)
  return parseEnv(content.toString('utf8'))
}

function gitRootOf(dir: string): string | null {
  if (existsSync(join(dir, '.git'))) return dir
  return dir === dirname(dir) ? null : gitRootOf(dirname(dir))
}

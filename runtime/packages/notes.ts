import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lockFiles, parseText, readText } from './files/package-files.ts'

/** npm would take addresses from `yarn.lock`, and then refuse packages from addresses: it does not get that one either. */
const otherLocks = ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb']
const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare']

/** What an installation of this repo leaves out, and what to do instead; one line each. */
export function notesBefore(jobsDir: string): string[] {
  const has = (name: string) => existsSync(join(jobsDir, name))
  const lock = lockFiles.some(has) ? undefined : otherLocks.find(has)
  const { scripts } = parseText<{ scripts?: unknown }>(readText(join(jobsDir, 'package.json')) ?? '') ?? {}
  const passedOver = lifecycle.filter(name => Object.hasOwn(Object(scripts), name))
  return [
    lock &&
      `${lock} is of another package manager, and is not read: npm chooses versions by package.json, and package-lock.json keeps them from now on. To keep the versions that you have, run "npm install --package-lock-only" where they are installed, and commit package-lock.json.`,
    passedOver.length > 0 &&
      `Scripts of the repo's own package.json are never run here: ${passedOver.join(', ')}. Commit what they make, or move them into a workspace that "allowScripts" names.`,
  ].filter(line => typeof line === 'string')
}

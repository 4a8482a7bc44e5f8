import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CommandError } from './jobs-folder.ts'

/** API tokens by the address of their instance, in a file that only its owner can read. */
export type Credentials = Readonly<Record<string, string>>

export function credentialsFile(env = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'longhouse/tokens.json')
}

/** Throws a CommandError for a file that other users can read, or that is damaged. */
export function readCredentials(file = credentialsFile()): Credentials {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) return {}
  // Windows has no such rights.
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new CommandError(`other users can read ${file}, which holds your tokens; run: chmod 600 ${file}`)
  }
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && Object.values(value).every(isText)) {
      return value as Credentials
    }
  } catch {
    // Said below.
  }
  throw new CommandError(`${file} is damaged; delete it, and sign in again: longhouse login`)
}

export function keepToken(origin: string, token: string, file = credentialsFile()): void {
  const all = { ...readCredentials(file), [origin]: token }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}

const isText = (value: unknown) => typeof value === 'string'

/** The token that is kept for an address; throws a CommandError if there is none. */
export function keptToken(origin: string): string {
  const token = readCredentials()[origin]
  if (token !== undefined) return token
  throw new CommandError(`there is no token for ${origin}; sign in with: longhouse login ${origin}`)
}

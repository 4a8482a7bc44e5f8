import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sdkAddressesIn } from '../../runtime/git/sdk-address.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { readCredentials } from './credentials.ts'

/** The instance that a command is about, with what lets us in. */
export interface Instance {
  /** Such as `https://acme.example.com`. */
  origin: string
  token: string
}

/**
 * The instance of `LONGHOUSE_URL`, else the one whose package the jobs repo names, else the only one that a token is
 * kept for. `LONGHOUSE_TOKEN` counts only together with `LONGHOUSE_URL`: a repo must not decide who gets a token.
 */
export function whichInstance(dir: string, env = process.env): Instance {
  const { LONGHOUSE_URL: url, LONGHOUSE_TOKEN: token } = env
  if (token && !url) {
    throw new CommandError('LONGHOUSE_TOKEN is set, but not LONGHOUSE_URL, the address of its instance')
  }
  if (url) {
    const origin = originOf(url, 'LONGHOUSE_URL')
    return { origin, token: token || keptToken(origin) }
  }
  const origin = namedIn(dir)
  if (origin !== null) return { origin, token: keptToken(origin) }
  const [only, ...others] = Object.entries(readCredentials())
  if (only && others.length === 0) return { origin: only[0], token: only[1] }
  const which = only
    ? `it could be ${[only, ...others].map(([each]) => each).join(' or ')}; set LONGHOUSE_URL to one of them`
    : 'sign in with: longhouse login https://acme.example.com'
  throw new CommandError(`it is not known which instance this is about; ${which}`)
}

/** The address of the instance whose package `package.json` of the repo names; null if it names none. */
export function namedIn(dir: string): string | null {
  const file = join(dir, 'package.json')
  if (!existsSync(file)) return null
  const [address] = sdkAddressesIn(readFileSync(file, 'utf8')).keys()
  return address === undefined ? null : new URL(address).origin
}

/** Throws a CommandError that names `source` unless the text is an address. */
export function originOf(text: string, source: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '') return url.origin
  throw new CommandError(
    `${source}: "${text}" is not the address of an instance, such as https://acme.example.com`,
  )
}

function keptToken(origin: string): string {
  const token = readCredentials()[origin]
  if (token !== undefined) return token
  throw new CommandError(`there is no token for ${origin}; sign in with: longhouse login ${origin}`)
}

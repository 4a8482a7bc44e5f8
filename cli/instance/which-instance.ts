import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sdkAddressesIn } from '../../runtime/git/sdk-address.ts'
import { keptToken, readCredentials } from '../command/credentials.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { isInstanceToken, type Place, placeOfEnvironment } from '../command/place.ts'

/**
 * The instance of `LONGHOUSE_URL`, else the one whose package the jobs repo names, else the only one that a token is
 * kept for. `LONGHOUSE_TOKEN` counts only together with `LONGHOUSE_URL`: a repo must not decide who gets a token.
 */
export function whichInstance(dir: string, env = process.env): Place {
  const place = namedInstance(dir, env)
  if (place && isInstanceToken(place.token)) return place
  if (place) {
    throw new CommandError(
      `the token for ${place.origin} is one of an operator; this command needs the address and token of an instance`,
    )
  }
  const [only, ...others] = keptInstances()
  if (only && others.length === 0) return only
  const which = only
    ? `it could be ${[only, ...others].map(({ origin }) => origin).join(' or ')}; set LONGHOUSE_URL to one of them`
    : 'sign in with: longhouse login https://acme.example.com'
  throw new CommandError(`it is not known which instance this is about; ${which}`)
}

/** The instances that tokens are kept for on this machine. */
export function keptInstances(): Place[] {
  return Object.entries(readCredentials())
    .filter(([, token]) => isInstanceToken(token))
    .map(([origin, token]) => ({ origin, token }))
}

/** The place that the environment or the jobs repo names; null if neither does. */
function namedInstance(dir: string, env = process.env): Place | null {
  const place = placeOfEnvironment(env, keptToken)
  if (place) return place
  const origin = namedIn(dir)
  return origin === null ? null : { origin, token: keptToken(origin) }
}

/** The address of the instance whose package `package.json` of the repo names; null if it names none. */
export function namedIn(dir: string): string | null {
  const file = join(dir, 'package.json')
  if (!existsSync(file)) return null
  const [address] = sdkAddressesIn(readFileSync(file, 'utf8')).keys()
  return address === undefined ? null : new URL(address).origin
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keptToken, readCredentials } from '../../command/credentials.ts'
import { CommandError } from '../../command/jobs-folder.ts'
import { isInstanceToken, type Place, placeOfEnvironment } from '../../command/place.ts'

/**
 * The control plane of `LONGHOUSE_URL`; else the one whose settings are in the environment, as in its container; else
 * the only one that a token is kept for.
 */
export function whichControl(env = process.env): Place {
  const named = placeOfEnvironment(env, keptToken)
  if (named && isInstanceToken(named.token)) {
    throw new CommandError(
      `the token for ${named.origin} is one of an instance; this command needs the address and token of a control plane`,
    )
  }
  const place = named ?? ownControl(env)
  if (place) return place
  const [only, ...others] = keptControls()
  if (only && others.length === 0) return only
  const which = only
    ? `it could be ${[only, ...others].map(({ origin }) => origin).join(' or ')}; set LONGHOUSE_URL to one of them`
    : 'sign in with: longhouse login https://control.example.com'
  throw new CommandError(`it is not known which control plane this is about; ${which}`)
}

/** The control planes that tokens are kept for on this machine. */
export function keptControls(): Place[] {
  return Object.entries(readCredentials())
    .filter(([, token]) => !isInstanceToken(token))
    .map(([origin, token]) => ({ origin, token }))
}

/**
 * The control plane with these settings, on this machine: its admin token is in its data root, or among the settings.
 * Null unless the environment has its data root.
 */
export function ownControl(env: NodeJS.ProcessEnv): Place | null {
  const { LONGHOUSE_DATA_ROOT: root, LONGHOUSE_DOMAIN: domain = 'localhost', LONGHOUSE_PORT: port } = env
  if (!root) return null
  const file = join(root, '.control/admin-token')
  const token = env.ADMIN_TOKEN || (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')
  if (token === '') return null
  return {
    origin: `http://control.${domain || 'localhost'}:${port || 8080}`,
    token,
    at: { host: '127.0.0.1', port: Number(port || 8080) },
  }
}

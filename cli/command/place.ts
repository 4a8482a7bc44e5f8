import { CommandError } from './jobs-folder.ts'

/** What a command talks to: an instance or a control plane, with the token that lets us in. */
export interface Place {
  /** Such as `https://acme.example.com`. */
  origin: string
  token: string
  /** Where to connect, if not to the host of the origin. */
  at?: { host: string; port: number }
}

/** Tokens of instances begin so; every other token is one of an operator. */
export function isInstanceToken(token: string): boolean {
  return token.startsWith('lht_')
}

/** Throws a CommandError that names `source` unless the text is an address. */
export function originOf(text: string, source: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '') return url.origin
  throw new CommandError(
    `${source}: "${text}" is not the address of an instance, such as https://acme.example.com`,
  )
}

/** `LONGHOUSE_URL` with its token, if it is set. `LONGHOUSE_TOKEN` counts only together with it: a repo must not decide who gets a token. */
export function placeOfEnvironment(
  env: NodeJS.ProcessEnv,
  keptToken: (origin: string) => string,
): Place | null {
  const { LONGHOUSE_URL: url, LONGHOUSE_TOKEN: token } = env
  if (token && !url) {
    throw new CommandError(
      'LONGHOUSE_TOKEN is set, but not LONGHOUSE_URL: set it to the address that the token is for, of a control plane or an instance',
    )
  }
  if (!url) return null
  const origin = originOf(url, 'LONGHOUSE_URL')
  return { origin, token: token || keptToken(origin) }
}

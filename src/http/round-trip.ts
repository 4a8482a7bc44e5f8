import { createHash } from 'node:crypto'
import { localPath } from './local-path.ts'
import type { AppContext } from './route.ts'
import { type CookieKind, newSecret, sessionCookie } from './session-cookie.ts'

/** Derives texts from the browser's secret: the same use gives the same text, and no text reveals the secret. */
export type Derive = (use: string) => string

/**
 * A redirect to another site and back, bound to the browser that started it. Only the browser keeps its state: a
 * secret, and the page to return to. Values sent to the other site are derived from the secret and do not reveal it.
 * Nothing is stored here, so unfinished trips cannot fill memory.
 */
export interface RoundTrip {
  /** `next` is a path of this site. */
  begin(c: AppContext, next: string | undefined): Derive
  /** Ends this browser's trip, whatever its result; null if it started none. */
  end(c: AppContext): { derive: Derive; next: string } | null
}

export function roundTrip(options: {
  https: boolean
  kind: CookieKind
  /** The time limit of the other site. */
  withinSeconds: number
  /** The default page to return to. */
  home: string
}): RoundTrip {
  const { https, kind, withinSeconds, home } = options
  const cookie = sessionCookie({ https, kind })
  return {
    begin: (c, next) => {
      const secret = newSecret()
      const path = Buffer.from(localPath(next, home)).toString('base64url')
      cookie.write(c, `${secret}.${path}`, withinSeconds)
      return deriveFrom(secret)
    },
    end: c => {
      const value = cookie.read(c)
      if (value === undefined) return null
      cookie.clear(c)
      const [secret = '', path = ''] = value.split('.')
      if (secret.length < 43) return null
      const next = Buffer.from(path, 'base64url').toString()
      return { derive: deriveFrom(secret), next: localPath(next, home) }
    },
  }
}

function deriveFrom(secret: string): Derive {
  return use => createHash('sha256').update(`${use} of ${secret}`).digest('base64url')
}

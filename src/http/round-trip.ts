import { createHash } from 'node:crypto'
import { localPath } from './local-path.ts'
import type { AppContext } from './route.ts'
import { type CookieKind, newSecret, sessionCookie } from './session-cookie.ts'

/** Texts that only the browser's secret yields: the same use gives the same text, and none tells the secret. */
export type Derive = (use: string) => string

/**
 * A way out to another site and back, bound to the browser that began it. The browser alone keeps it: a secret, and
 * where to go on to afterwards. What passes by the other site is derived from the secret, so it tells nothing, and
 * nothing is kept here that many begun trips could fill.
 */
export interface RoundTrip {
  /** `next` is a path of this site. */
  begin(c: AppContext, next: string | undefined): Derive
  /** Ends the trip that this browser began, whatever comes of it; null when it began none. */
  end(c: AppContext): { derive: Derive; next: string } | null
}

export function roundTrip(options: {
  https: boolean
  kind: CookieKind
  /** How long the other site may take. */
  withinSeconds: number
  /** Where a trip ends that was to lead nowhere else. */
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

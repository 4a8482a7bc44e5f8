import { createHash } from 'node:crypto'
import { localPath } from '../../src/http/local-path.ts'
import type { AppContext } from '../../src/http/route.ts'
import { newSecret, sessionCookie } from '../../src/http/session-cookie.ts'
import type { SignInProof } from './openid.ts'

/** How long the provider's pages may take. */
const signInSeconds = 600

export interface SignInCookie {
  /** Begins a sign-in in this browser, which goes on to `next` when it is done. */
  begin(c: AppContext, next: string | undefined): SignInProof
  /** Ends the sign-in that this browser began; null when it began none. */
  end(c: AppContext): { proof: SignInProof; next: string } | null
}

/**
 * One sign-in that is under way, kept by the browser alone: a secret, and where to go on to. State, nonce and PKCE
 * verifier are derived from the secret, so nothing that passes by the provider tells it, and nothing is kept here that
 * many begun sign-ins could fill.
 */
export function signInCookie(options: { https: boolean; home: string }): SignInCookie {
  const cookie = sessionCookie({ https: options.https, kind: 'sign_in' })
  return {
    begin: (c, next) => {
      const secret = newSecret()
      const path = Buffer.from(localPath(next, options.home)).toString('base64url')
      cookie.write(c, `${secret}.${path}`, signInSeconds)
      return proofOf(secret)
    },
    end: c => {
      const [secret = '', path = ''] = cookie.read(c)?.split('.') ?? []
      if (cookie.read(c) !== undefined) cookie.clear(c)
      if (secret.length < 43) return null
      return {
        proof: proofOf(secret),
        next: localPath(Buffer.from(path, 'base64url').toString(), options.home),
      }
    },
  }
}

function proofOf(secret: string): SignInProof {
  const derive = (use: string) => createHash('sha256').update(`${use} of ${secret}`).digest('base64url')
  return { state: derive('state'), nonce: derive('nonce'), verifier: derive('verifier') }
}

import { SignJWT } from 'jose'
import type { Clock } from '../../src/clock.ts'
import { newSecret } from '../../src/http/session-cookie.ts'
import type { KeyRing } from './key-ring.ts'

/** Long enough for a redirect. */
const lifeSeconds = 60

/** Signs a token that tells one instance its owner is in this browser. The token works once, within a minute. */
export async function signToken(
  { ring, clock, issuer }: { ring: KeyRing; clock: Clock; issuer: string },
  claims: { instanceId: string; account: { id: string; email: string }; nonce: string },
): Promise<string> {
  const { id, key } = ring.signing()
  const now = Math.floor(clock.now() / 1000)
  return new SignJWT({ email: claims.account.email, nonce: claims.nonce })
    .setProtectedHeader({ alg: 'EdDSA', kid: id, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(claims.instanceId)
    .setSubject(claims.account.id)
    .setJti(newSecret())
    .setIssuedAt(now)
    .setExpirationTime(now + lifeSeconds)
    .sign(key)
}

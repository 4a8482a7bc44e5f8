import { Secret, TOTP } from 'otpauth'
import { encode } from 'uqr'
import type { AppSecret } from './contract.ts'

const periodSeconds = 30
/** Codes of one step before and after are taken: the clocks of phones differ. */
const window = 1

/** Codes of an app (TOTP, RFC 6238): what every app understands, SHA-1, six digits, thirty seconds. The only caller of otpauth and uqr. */
export function newAppSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** What an app needs for this secret. `site` and `email` are what it shows. */
export function appSecret(secret: string, { site, email }: { site: string; email: string }): AppSecret {
  const uri = totp(secret, { issuer: site, label: email }).toString()
  const { data, size } = encode(uri, { ecc: 'M', border: 4 })
  const path = data
    .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('')
  return { secret, uri, qr: { size, path } }
}

/** The time step of which this is the code, if it is one later than `after`; else null. */
export function stepOf(
  code: string,
  { secret, at, after }: { secret: string; at: number; after: number | null },
): number | null {
  const delta = totp(secret).validate({ token: code, timestamp: at, window })
  if (delta === null) return null
  const step = Math.floor(at / (periodSeconds * 1000)) + delta
  return after !== null && step <= after ? null : step
}

function totp(secret: string, names: { issuer?: string; label?: string } = {}): TOTP {
  return new TOTP({ ...names, secret: Secret.fromBase32(secret), period: periodSeconds, digits: 6 })
}

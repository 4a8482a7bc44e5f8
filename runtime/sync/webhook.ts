import { createHmac, timingSafeEqual } from 'node:crypto'

/** True if `X-Hub-Signature-256` matches the body, as GitHub defines it. */
export function signatureFits(secret: string, body: Uint8Array, signature: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

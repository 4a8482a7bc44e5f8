import { z } from 'zod'
import { isPasswordHash, looksLikeHash } from '../../src/password.ts'

export interface SsoSettings {
  /** The control plane's address. */
  issuer: string
  /** The public keys it signed with when this instance was created; later keys are fetched from it. */
  keys: { keys: { kid: string; kty: string }[] }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })

const shortestPassword = 8

const passwordRule = `must be a password of at least ${shortestPassword} characters, or its argon2id hash in PHC format ($argon2id$v=19$m=…,t=…,p=…$…)`

export const authConfig = z.object({
  /** Plain, or an argon2id hash in PHC format. */
  LONGHOUSE_PASSWORD: z.string(passwordRule).superRefine((text, context) => {
    if (looksLikeHash(text) ? isPasswordHash(text) : text.length >= shortestPassword) return
    context.addIssue({ code: 'custom', message: passwordRule })
  }),
  /** The control plane that signs its owner in besides the password; none if unset. */
  LONGHOUSE_SSO_ISSUER: z
    .string()
    .refine(
      text => /^https?:\/\/[^/?#]+$/.test(text) && URL.canParse(text),
      'must be the address of the control plane such as https://control.example.com, without a path',
    )
    .optional(),
  LONGHOUSE_SSO_KEYS: z.string().transform(parseKeys).optional(),
})

/** Parses a JWK set, as the control plane publishes it. */
function parseKeys(text: string, context: z.RefinementCtx): SsoSettings['keys'] {
  try {
    return keySet.parse(JSON.parse(text))
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON Web Key Set such as {"keys": […]}' })
    return z.NEVER
  }
}

/** The settings of single sign-on; null if it is not set up. */
export function ssoSettings(config: z.output<typeof authConfig>): SsoSettings | null {
  if (!config.LONGHOUSE_SSO_ISSUER) return null
  return { issuer: config.LONGHOUSE_SSO_ISSUER, keys: config.LONGHOUSE_SSO_KEYS ?? { keys: [] } }
}

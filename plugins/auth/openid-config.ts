import { z } from 'zod'
import { isLoopback } from '../../src/http/address.ts'

export const google = 'https://accounts.google.com'

/**
 * `verified`: only addresses that the provider calls verified. `unstated`: also where it does not say, as Microsoft.
 * `any`: also addresses that it calls unverified, as Authentik does by default.
 */
const emailTrusts = ['verified', 'unstated', 'any'] as const
export type EmailTrust = (typeof emailTrusts)[number]

/** Where owners sign in: Google, or any other OpenID provider by `OPENID_ISSUER`. */
export const openIdConfig = z
  .object({
    GOOGLE_CLIENT_ID: z.string().optional(),
    GOOGLE_CLIENT_SECRET: z.string().optional(),
    OPENID_ISSUER: z
      .string()
      .refine(
        isIssuer,
        'must be the https address of an OpenID provider such as https://accounts.google.com, without a query',
      )
      .optional(),
    /** The provider's name on the button. */
    OPENID_NAME: z.string().max(40, 'may have at most 40 characters').optional(),
    /** Which of the provider's email addresses count as verified. */
    OPENID_EMAIL_TRUST: z.enum(emailTrusts, `must be one of ${emailTrusts.join(', ')}`).default('verified'),
  })
  .superRefine((env, context) => {
    const { GOOGLE_CLIENT_ID: id, GOOGLE_CLIENT_SECRET: secret } = env
    const missing = (name: string, because: string) =>
      context.addIssue({ code: 'custom', path: [name], message: `must be set too, because ${because} is` })
    if (id && !secret) missing('GOOGLE_CLIENT_SECRET', 'GOOGLE_CLIENT_ID')
    if (secret && !id) missing('GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET')
    if (env.OPENID_ISSUER && !id && !secret) missing('GOOGLE_CLIENT_ID', 'OPENID_ISSUER')
  })
  .transform((env): { openId: OpenIdSettings | null } => {
    const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret } = env
    if (!clientId || !clientSecret) return { openId: null }
    const issuer = env.OPENID_ISSUER ?? google
    const name = env.OPENID_NAME ?? (issuer === google ? 'Google' : new URL(issuer).hostname)
    return { openId: { issuer, clientId, clientSecret, name, emailTrust: env.OPENID_EMAIL_TRUST } }
  })

export interface OpenIdSettings {
  issuer: string
  clientId: string
  clientSecret: string
  name: string
  emailTrust: EmailTrust
}

/** Plain http only to this machine, for tests. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, search, hash } = new URL(text)
  if (search || hash) return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

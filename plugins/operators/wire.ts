import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { roles } from '../../src/http/route.ts'
import type { Operator } from './contract.ts'

const time = z.iso.datetime().nullable()

export const operatorSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role: z.enum(roles),
    joined_at: time.meta({ description: 'When they accepted their first invitation; null until then' }),
    invited_until: time.meta({
      description: 'Until when the invitation at hand can be accepted; null without one',
    }),
    has_password: z.boolean(),
    has_app: z.boolean().meta({ description: 'Whether an app shows codes for them' }),
    passkeys: z.int(),
    has_provider: z.boolean().meta({ description: 'Whether they sign in with the OpenID provider' }),
    recovery_codes: z.int().meta({ description: 'How many they have left' }),
    new_email: z
      .object({ email: z.string(), until: z.iso.datetime() })
      .nullable()
      .meta({ description: 'An address that waits to be proven by the email that was sent to it' }),
    created_at: z.iso.datetime(),
    created_by: z.string(),
    last_sign_in_at: time,
  })
  .meta({ id: 'Operator' })

export function wireOperator(operator: Operator): z.input<typeof operatorSchema> {
  const { id, name, email, role, passkeys } = operator
  return {
    ...{ id, name, email, role, passkeys },
    new_email: operator.newEmail && {
      email: operator.newEmail.email,
      until: timestamp(operator.newEmail.until),
    },
    joined_at: timestamp(operator.joinedAt),
    invited_until: timestamp(operator.invitedUntil),
    has_password: operator.hasPassword,
    has_app: operator.hasApp,
    has_provider: operator.hasProvider,
    recovery_codes: operator.recoveryCodes,
    created_at: timestamp(operator.createdAt),
    created_by: operator.createdBy,
    last_sign_in_at: timestamp(operator.lastSignInAt),
  }
}

export const codeField = z
  .string('must be a code')
  .trim()
  .min(6, 'must be the six digits of the app, or a recovery code')
  .max(40, 'must be the six digits of the app, or a recovery code')
export const credentialField = z
  .string('must be the answer of the passkey, as JSON in a text')
  .min(2, 'must be the answer of the passkey: allow scripts for this site, and try again')
  .max(20_000, 'is too long')
export const emailField = z
  .string('must be an email address')
  .trim()
  .max(254, 'is too long')
  .pipe(z.email('must be an email address'))
export const newPasswordField = z
  .string('must be a password')
  .min(12, 'must have at least 12 characters: several words are easy to remember')
  .max(200, 'may have at most 200 characters')
export const passkeyNameField = z
  .string('must be a name such as "laptop"')
  .trim()
  .min(1, 'must not be empty')
  .max(60, 'must be at most 60 characters')
  .regex(/^\P{Cc}*$/u, 'must be one line')

export const codesSchema = z.object({ recovery_codes: z.array(z.string()) })
/** As WebAuthn defines them: see `PublicKeyCredential.parseCreationOptionsFromJSON` of browsers. */
export const optionsSchema = z.looseObject({ challenge: z.string() })

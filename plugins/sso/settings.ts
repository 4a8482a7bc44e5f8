import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'

const keyLife = setting.duration('2d', '3650d')

/** The settings of single sign-on. `BRIDGE_KEY_LIFE` is the old name of `SSO_KEY_LIFE` and still works. */
export const ssoConfig = z
  .object({
    /** How long one key signs; 90 days by default. */
    SSO_KEY_LIFE: keyLife.optional(),
    BRIDGE_KEY_LIFE: keyLife.optional(),
  })
  .superRefine(({ SSO_KEY_LIFE, BRIDGE_KEY_LIFE }, context) => {
    if (SSO_KEY_LIFE === undefined || BRIDGE_KEY_LIFE === undefined || SSO_KEY_LIFE === BRIDGE_KEY_LIFE)
      return
    context.addIssue({
      code: 'custom',
      path: ['BRIDGE_KEY_LIFE'],
      message: 'is the old name of SSO_KEY_LIFE, which is set to something else; remove BRIDGE_KEY_LIFE',
    })
  })
  .transform(({ SSO_KEY_LIFE, BRIDGE_KEY_LIFE }) => ({
    keyLifeMs: SSO_KEY_LIFE ?? BRIDGE_KEY_LIFE ?? 90 * 86_400_000,
  }))

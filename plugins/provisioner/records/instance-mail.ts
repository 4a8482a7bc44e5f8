import { z } from 'zod'

/**
 * The mail server that instances send their notices through until an owner sets another. Owners can read it in their
 * instances: give it an account of its own, with limits.
 */
export const instanceMailConfig = z
  .object({
    INSTANCE_SMTP_URL: z
      .string()
      .refine(
        text => /^smtps?:\/\/[^/]+\/?$/.test(text) && URL.canParse(text),
        'must be a mail server such as smtp://user:password@mail.example.com:587',
      )
      .optional(),
    INSTANCE_SMTP_FROM: z
      .string()
      .regex(/@/, 'must be the address that notices come from, such as jobs@example.com')
      .optional(),
  })
  .superRefine((config, context) => {
    const { INSTANCE_SMTP_URL: url, INSTANCE_SMTP_FROM: from } = config
    if (url && !from)
      context.addIssue({
        code: 'custom',
        path: ['INSTANCE_SMTP_FROM'],
        message: 'must be set beside INSTANCE_SMTP_URL',
      })
    if (from && !url)
      context.addIssue({
        code: 'custom',
        path: ['INSTANCE_SMTP_URL'],
        message: 'must be set beside INSTANCE_SMTP_FROM',
      })
  })

export function instanceMail(
  config: z.output<typeof instanceMailConfig>,
): { smtpUrl: string; smtpFrom: string } | null {
  const { INSTANCE_SMTP_URL: smtpUrl, INSTANCE_SMTP_FROM: smtpFrom } = config
  return smtpUrl && smtpFrom ? { smtpUrl, smtpFrom } : null
}

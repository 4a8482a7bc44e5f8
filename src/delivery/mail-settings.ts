import { z } from 'zod'

/** Settings of a mail server, for every program that sends mail. */
export const mailSettings = {
  SMTP_URL: z
    .string()
    .refine(
      text => /^smtps?:\/\/[^/]+\/?$/.test(text) && URL.canParse(text),
      'must be a mail server such as smtp://user:password@mail.example.com:587',
    ),
  SMTP_FROM: z.string().regex(/@/, 'must be the address that mail comes from, such as jobs@example.com'),
}

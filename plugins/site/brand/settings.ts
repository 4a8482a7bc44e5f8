import { z } from 'zod'
import { setting } from '../../../src/kernel/config.ts'
import { type Brand, longhouse, type Support } from '../../../views/brand.tsx'
import { coloursOf } from './colour.ts'
import { readLogo } from './logo.ts'

const longestName = 40

/** How the operator presents the site. */
export const brandSettings = {
  BRAND_NAME: z
    .string()
    .transform(text => text.trim())
    .refine(
      name => name !== '' && [...name].length <= longestName && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name),
      `must be a name of 1 to ${longestName} characters in one line`,
    )
    .default(longhouse.name),
  BRAND_LOGO: setting.file(readLogo).optional(),
  BRAND_COLOR: setting
    .list()
    .transform((texts, context) => {
      const found = coloursOf(texts)
      if ('colours' in found) return found.colours
      for (const message of found.faults) context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .optional(),
  BRAND_SUPPORT: z
    .string()
    .transform((text, context) => {
      const support = supportOf(text.trim())
      if (support) return support
      context.addIssue({
        code: 'custom',
        message:
          'must be an email address such as help@example.com, or a page such as https://example.com/help',
      })
      return z.NEVER
    })
    .optional(),
}

export function brandOf(env: {
  BRAND_NAME: string
  BRAND_LOGO?: Brand['logo'] | undefined
  BRAND_COLOR?: Brand['colours'] | undefined
  BRAND_SUPPORT?: Brand['support'] | undefined
}): Brand {
  return {
    name: env.BRAND_NAME,
    logo: env.BRAND_LOGO ?? null,
    colours: env.BRAND_COLOR ?? null,
    support: env.BRAND_SUPPORT ?? null,
  }
}

function supportOf(text: string): Support | null {
  if (text.length > 200) return null
  const mail = text.replace(/^mailto:/i, '')
  if (z.email().safeParse(mail).success) return { href: `mailto:${mail}`, text: mail }
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return null
  return { href: url.href, text: `${url.host}${url.pathname}`.replace(/\/$/, '') }
}

import { z } from 'zod'
import type { Brand } from '../../views/brand.tsx'

const colour = z.string().regex(/^#[0-9a-f]{6}$/)
const byScheme = z.tuple([colour, colour])

/** As the control plane writes it. Its values go into pages, so their form is checked again. */
const brandSchema: z.ZodType<Brand> = z.object({
  name: z.string().min(1).max(80),
  logo: z
    .object({
      type: z.enum(['image/svg+xml', 'image/png']),
      base64: z.base64().max(20_000),
      ratio: z.number().min(0.1).max(10),
    })
    .nullable(),
  colours: z.object({ accent: byScheme, strong: byScheme, onAccent: byScheme }).nullable(),
  support: z
    .object({ href: z.string().regex(/^(mailto:|https?:\/\/)/), text: z.string().max(300) })
    .nullable(),
})

export function parseBrand(text: string, context: z.RefinementCtx): Brand {
  try {
    return brandSchema.parse(JSON.parse(text))
  } catch {
    context.addIssue({
      code: 'custom',
      message: 'must be JSON with name, logo, colours and support, as the control plane writes it',
    })
    return z.NEVER
  }
}

import { z } from 'zod'

export const params = z.object({
  since: z.iso
    .date()
    .default('2026-01-01')
    .transform(text => new Date(text)),
})

const reading = z.object({ place: z.string().trim(), value: z.coerce.number().min(0) })

/** Parameters with a default, values that are changed, and mistakes in words. */
export async function run(context: { params: unknown }) {
  const { since } = params.parse(context.params instanceof Object && 'since' in context.params ? {} : {})
  const good = reading.parse({ place: ' roof ', value: '3.5' })
  const bad = reading.safeParse({ place: 1, value: '-1' })
  return {
    since: since.toISOString(),
    good,
    bad: bad.error && z.prettifyError(bad.error),
    schema: z.toJSONSchema(reading, { io: 'input' }),
  }
}

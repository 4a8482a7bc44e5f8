import { z } from 'zod'
import { mailTeam } from '../lib/mail'

export const params = z.object({
  subject: z.string().max(100).default('News'),
  test: z.boolean().default(true),
})

/** The newsletter; by default only to the team. */
export async function run({ params: { subject } }: { params: z.output<typeof params> }) {
  await mailTeam(subject, 'There is tea.')
}

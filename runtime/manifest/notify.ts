import { z } from 'zod'
import { duration, only } from './field-types.ts'

/** The notices that a job’s manifest asks for, and their recipients. */
export interface NotifySpec {
  /** Notify after this many failed runs in a row; null uses the setting, false never notifies. */
  failures: number | false | null
  /**
   * Notify when a run takes longer than this many milliseconds; null uses the time between two slots, false never
   * notifies.
   */
  longRun: number | false | null
  /** Notify when a slot is overdue or the job has no further slots. */
  overdue: boolean
  /** Notify about slots missed while the instance was down. */
  missed: boolean
  /** Recipients instead of those in the settings. */
  emails: string[] | null
  webhook: string | null
}

export const ordinaryNotify: NotifySpec = {
  failures: null,
  longRun: null,
  overdue: true,
  missed: true,
  emails: null,
  webhook: null,
}

const silence: NotifySpec = {
  ...ordinaryNotify,
  failures: false,
  longRun: false,
  overdue: false,
  missed: false,
}

/** The most runs examined one by one; see `watch.ts`. */
const mostFailures = 20

export const storedNotify = z.object({
  failures: z.union([z.number(), z.literal(false)]).nullable(),
  longRun: z.union([z.number(), z.literal(false)]).nullable(),
  overdue: z.boolean(),
  missed: z.boolean(),
  emails: z.array(z.string()).nullable(),
  webhook: z.string().nullable(),
})

const address = /^[^\s@,<>]+@[^\s@,<>]+$/
const flag = z.boolean('must be true or false').default(true)
const addressWords = 'must be an address such as you@example.com'
const webhookWords = 'must be an address such as https://example.com/longhouse'

/** False, or a value of this type, with our own message: Zod’s message for a union names neither. */
const orFalse = (type: z.ZodType<number>) =>
  z
    .unknown()
    .transform((value, context): number | false | null => {
      if (value === false || value === null) return value
      const parsed = type.safeParse(value)
      for (const { message } of parsed.error?.issues ?? []) {
        context.addIssue({ code: 'custom', message: `${message}; or false`, input: value })
      }
      return parsed.data ?? z.NEVER
    })
    .default(null)

const failureWords = `must be a whole number from 1 to ${mostFailures}`

const fields = only(
  {
    failures: orFalse(z.int(failureWords).min(1, failureWords).max(mostFailures, failureWords)),
    longRun: orFalse(duration('1s', '24h')),
    overdue: flag,
    missed: flag,
    emails: z
      .array(
        z.string(addressWords).regex(address, addressWords),
        "must be a list such as ['you@example.com']",
      )
      .max(20, 'must be at most 20 addresses')
      .nullable()
      .default(null),
    webhook: z
      .string(webhookWords)
      .max(2000, 'must be at most 2000 characters')
      .refine(text => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), webhookWords)
      .nullable()
      .default(null),
  },
  'must be false, or an object such as { failures: 3 }',
)

export const writtenNotify = z.unknown().transform((value, context): NotifySpec => {
  if (value === false) return silence
  const parsed = fields.safeParse(value)
  for (const { message, path } of parsed.error?.issues ?? []) {
    context.addIssue({ code: 'custom', message, path: [...path], input: value })
  }
  return parsed.data ?? z.NEVER
})

/** The recipients of a job’s notices, as far as the job names them. */
export type Destination = Pick<NotifySpec, 'emails' | 'webhook'>

export function destinationOf({ emails, webhook }: NotifySpec): { to?: Destination } {
  return emails === null && webhook === null ? {} : { to: { emails, webhook } }
}

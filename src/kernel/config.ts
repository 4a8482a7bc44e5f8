import { z } from 'zod'
import { isTimezone, placesMeant } from '../timezone.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type ConfigSchema = z.ZodType<unknown>

/**
 * Parses one part's settings from the environment. An empty variable counts as unset, as compose files write it.
 * Returns every fault with its variable; a value is never repeated, because it may be a secret.
 */
export function parseConfig<S extends ConfigSchema>(
  schema: S,
  env: Environment,
): { config: z.output<S>; faults: [] } | { config?: never; faults: string[] } {
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  )
  // Without code made for this schema, which is parsed once.
  const parsed = schema.safeParse(set, { jitless: true })
  if (parsed.success) return { config: parsed.data, faults: [] }
  return {
    faults: parsed.error.issues.map(issue => `${issue.path.join('.') || 'configuration'}: ${issue.message}`),
  }
}

/** The field types of settings: each refuses invalid text, and names the expected format. */
export const setting = {
  /** A whole number in a range. */
  integer: (min: number, max: number) =>
    z
      .string()
      .regex(/^-?\d+$/, `must be a whole number from ${min} to ${max}`)
      .transform(Number)
      .refine(n => n >= min && n <= max, `must be a whole number from ${min} to ${max}`),

  /** A port to listen on; 0 lets the system choose. */
  port: () => setting.integer(0, 65535),

  flag: () => z.enum(['true', 'false'], 'must be true or false').transform(value => value === 'true'),

  /**
   * A duration such as `500ms`, `10s`, `5m`, `2h` or `7d`, in milliseconds. Node's timers reach 24 days: beyond that
   * they fire at once.
   */
  duration: (least = '1ms', most = '24d') =>
    z
      .string()
      .regex(/^\d+(ms|s|m|h|d)$/, 'must be a duration such as 500ms, 10s, 5m, 2h or 7d')
      .transform(durationMs)
      .refine(ms => ms >= durationMs(least) && ms <= durationMs(most), `must be from ${least} to ${most}`),

  /** A size such as `512k`, `256m` or `1g`, in bytes. */
  size: (least = '1k', most = '1024g') =>
    z
      .string()
      .regex(sizeText, 'must be a size such as 512k, 256m or 1g')
      .transform(sizeBytes)
      .refine(
        bytes => bytes >= sizeBytes(least) && bytes <= sizeBytes(most),
        `must be from ${least} to ${most}`,
      ),

  /** A size, or `0` for no limit, in bytes. */
  sizeOrNone: (least = '1k', most = '1024g') =>
    z
      .string()
      .refine(
        text => text === '0' || (sizeBytes(text) >= sizeBytes(least) && sizeBytes(text) <= sizeBytes(most)),
        `must be a size from ${least} to ${most}, or 0 for no limit`,
      )
      .transform(text => (text === '0' ? 0 : sizeBytes(text))),

  /** A time zone that this machine knows. */
  timezone: () =>
    z.string().superRefine((name, context) => {
      if (isTimezone(name)) return
      const message = `must be a time zone such as ${placesMeant(name) ?? 'Europe/Berlin or UTC'}`
      context.addIssue({ code: 'custom', message })
    }),

  /** A file, as what `read` makes of it. What `read` throws follows the file's name. */
  file: <Found>(read: (file: string) => Found) =>
    z.string().transform((file, context): Found => {
      try {
        return read(file)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        const fault = code ? `cannot be read (${code})` : message
        context.addIssue({ code: 'custom', message: `${file} ${fault}` })
        return z.NEVER
      }
    }),

  /** Names separated by commas. */
  list: () =>
    z.string().transform(text =>
      text
        .split(',')
        .map(part => part.trim())
        .filter(part => part !== ''),
    ),
}

const sizeText = /^\d+[kmg]$/i

/** Parses a size to bytes; NaN if it is invalid. */
export function sizeBytes(text: string): number {
  if (!sizeText.test(text)) return Number.NaN
  return Number.parseInt(text, 10) * 1024 ** ('kmg'.indexOf(text.slice(-1).toLowerCase()) + 1)
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses a duration to milliseconds; NaN if it is invalid. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : Number.NaN
}

import { accessSync, constants, statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { z } from 'zod'
import { setting } from '../../../src/kernel/config.ts'
import type { AccessLogSettings } from '../settings.ts'

const file = z.string().superRefine((path, context) => {
  const message = faultOf(path)
  if (message) context.addIssue({ code: 'custom', message })
})

export const accessLogConfig = {
  ROUTER_ACCESS_LOG: z.enum(['off', 'json', 'combined'], 'must be off, json or combined').default('off'),
  ROUTER_ACCESS_LOG_FILE: file.optional(),
  ROUTER_ACCESS_LOG_SAMPLE: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1, such as 0.1')
    .transform(Number)
    .prefault('1'),
  ROUTER_ACCESS_LOG_ERRORS: setting.flag().prefault('true'),
  ROUTER_ACCESS_LOG_QUERY: setting.flag().prefault('false'),
}

type Config = z.output<z.ZodObject<typeof accessLogConfig>>

/** Null when there is no access log. */
export function accessLogSettings(config: Config): AccessLogSettings | null {
  const format = config.ROUTER_ACCESS_LOG
  if (format === 'off') return null
  return {
    format,
    file: config.ROUTER_ACCESS_LOG_FILE ?? null,
    sample: config.ROUTER_ACCESS_LOG_SAMPLE,
    everyError: config.ROUTER_ACCESS_LOG_ERRORS,
    query: config.ROUTER_ACCESS_LOG_QUERY,
  }
}

/** Why lines cannot be written to this file; the workers that write them have no operator to tell. */
function faultOf(path: string): string | null {
  if (!isAbsolute(path)) return 'must be an absolute path, such as /var/log/longhouse/access.log'
  try {
    const folder = dirname(path)
    accessSync(folder, constants.W_OK | constants.X_OK)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found && !found.isFile()) return 'must be a regular file. Leave it out to write to standard output'
    if (found) accessSync(path, constants.W_OK)
    return null
  } catch (error) {
    return `cannot be written: ${(error as Error).message}. Create the folder, and let Longhouse write to it`
  }
}

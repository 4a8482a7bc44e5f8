import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const credentials = [
  'password',
  'passwordHash',
  'token',
  'secret',
  'authorization',
  'cookie',
  'set-cookie',
  'ADMIN_TOKEN',
  'LONGHOUSE_PASSWORD',
]

/**
 * Structured logs on standard error: one JSON object per line for machines, readable lines on a terminal. Credentials
 * are redacted here, in addition to being left out by the caller.
 */
export async function createLog(
  program: string,
  options: {
    /** `info` if it is unset or unknown: the settings' own check reports that. */
    level?: string | undefined
    /** Readable lines; by default if standard error is a terminal. */
    human?: boolean
    /** The destination instead of standard error. */
    to?: DestinationStream
  } = {},
): Promise<Logger> {
  const settings = {
    name: program,
    level: logLevels.find(level => level === options.level) ?? 'info',
    redact: {
      paths: credentials.flatMap(name => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: '[redacted]',
    },
    base: { name: program },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const { to = pino.destination({ fd: 2, sync: true }), human = !options.to && process.stderr.isTTY } =
    options
  if (!human) return pino(settings, to)
  // A tenth of the runtime's code, which a container does not need.
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname,name' })
  return pino(settings, { write: line => to.write(format(line)) })
}

/** For programs and tests without a reader of the log. */
export const silentLog: Logger = pino({ level: 'silent' })

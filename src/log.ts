import { type Logger as PinoLogger, pino } from 'pino'
import pretty from 'pino-pretty'

export type Logger = PinoLogger

/**
 * Structured logs on standard error: one JSON object a line for machines, readable lines on a terminal.
 * Credentials are removed here as well as left out where the line is written: a second net.
 */
export function createLog(
  program: string,
  options: { level?: string | undefined; human?: boolean } = {},
): Logger {
  const settings = {
    name: program,
    level: options.level ?? 'info',
    redact: {
      paths: [
        'password',
        '*.password',
        'token',
        '*.token',
        'authorization',
        '*.authorization',
        'cookie',
        '*.cookie',
      ],
      censor: '[redacted]',
    },
    base: { name: program },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const human = options.human ?? process.stderr.isTTY
  if (!human) return pino(settings, pino.destination({ fd: 2, sync: true }))
  return pino(
    settings,
    pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname,name' }),
  )
}

/** For programs and tests that have nobody to read along. */
export const silentLog: Logger = pino({ level: 'silent' })

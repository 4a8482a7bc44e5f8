import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { Writable } from 'node:stream'
import winston from 'winston'

/** Formats, a file that is followed to its end, and a stream. */
export async function run() {
  rmSync('data/winston.log', { force: true })
  const lines: string[] = []
  const memory = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk).trim())
      done()
    },
  })
  const { combine, errors, json, printf, splat } = winston.format
  const logger = winston.createLogger({
    level: 'debug',
    format: combine(errors({ stack: false }), splat(), json()),
    transports: [
      new winston.transports.File({ filename: 'data/winston.log' }),
      new winston.transports.Stream({
        stream: memory,
        level: 'warn',
        format: printf(({ level, message }) => `${level}: ${message}`),
      }),
    ],
  })
  logger.debug('%d readings', 3, { place: 'roof' })
  logger.warn('damp')
  logger.end()
  await once(logger, 'finish')
  // The file is written after the logger has finished.
  for (let look = 0; look < 100 && count() < 2; look++) await new Promise(done => setTimeout(done, 10))
  return {
    lines,
    file: readFileSync('data/winston.log', 'utf8')
      .trim()
      .split('\n')
      .map(each => JSON.parse(each)),
  }
}

function count(): number {
  try {
    return readFileSync('data/winston.log', 'utf8').split('\n').length - 1
  } catch {
    return 0
  }
}

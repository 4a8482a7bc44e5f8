import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'

/** A transport of a package, one of this repo in TypeScript, and one to a file, each in a worker thread. */
export async function run() {
  for (const name of ['pretty', 'own', 'plain']) rmSync(`data/${name}.log`, { force: true })
  const transport = pino.transport({
    targets: [
      {
        target: 'pino-pretty',
        options: { destination: 'data/pretty.log', colorize: false, ignore: 'time,pid,hostname' },
      },
      { target: join(import.meta.dirname, '../transports/counting.ts'), options: { file: 'data/own.log' } },
      { target: 'pino/file', options: { destination: 'data/plain.log' } },
    ],
  })
  const log = pino({ base: null, timestamp: false, redact: ['token'] }, transport)
  log.info({ place: 'roof', token: 'secret' }, 'read')
  log.child({ part: 'cellar' }).error(new Error('damp'), 'failed')
  // Pino's threads alone do not keep a process alive.
  const alive = setInterval(() => {}, 1000)
  transport.end()
  await once(transport, 'close')
  clearInterval(alive)
  const [pretty, own, plain] = ['pretty', 'own', 'plain'].map(name =>
    readFileSync(`data/${name}.log`, 'utf8'),
  )
  return { pretty: pretty?.split('\n').slice(0, 2), own, levels: plain?.match(/"level":\d+/g) }
}

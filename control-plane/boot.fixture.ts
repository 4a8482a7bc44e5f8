import type { TestContext } from 'node:test'
import { pino } from 'pino'
import type { Clock } from '../src/clock.ts'
import { systemClock } from '../src/clock.ts'
import type { Environment } from '../src/kernel/config.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { type Logger, silentLog } from '../src/log.ts'
import { plainWeb } from '../src/testing/app.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { type BootOptions, boot, type Program } from './boot.ts'

/**
 * Boots plugins on a data root of their own and, once it listens, a port of the system's choice. Stops when the test
 * ends, if the test has not done so.
 */
export async function bootForTest(
  t: Pick<TestContext, 'after'>,
  plugins: readonly Plugin[],
  options: { env?: Environment; clock?: Clock; log?: Logger; web?: Partial<BootOptions['web']> } = {},
): Promise<Program> {
  const { clock = systemClock, log = silentLog } = options
  let program: Program | undefined
  // Before the folder's own removal: such hooks run in the order in which they were given.
  t.after(() => program?.stop())
  const env = {
    LONGHOUSE_PORT: '0',
    LONGHOUSE_DATA_ROOT: options.env?.LONGHOUSE_DATA_ROOT ?? temporaryFolder(t),
    ...options.env,
  }
  program = await boot({ plugins, env, log, clock, web: { ...plainWeb, ...options.web } })
  return program
}

/** A plugin whose name and needs are not among a program's own. */
export function plain(
  spec: { name: string; needs?: readonly string[] } & Partial<Omit<Plugin, 'name' | 'needs'>>,
): Plugin {
  return { needs: [], config: undefined, tables: undefined, asks: {}, setup: () => ({}), ...spec }
}

/** A log that a test can read. */
export function keptLog(): { log: Logger; lines(): string } {
  const lines: string[] = []
  return { log: pino({}, { write: line => void lines.push(line) }), lines: () => lines.join('') }
}

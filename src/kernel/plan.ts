import { BootError } from '../boot-error.ts'
import type { Logger } from '../log.ts'
import { bootOrder } from './boot-order.ts'
import { type Environment, parseConfig } from './config.ts'
import type { Plugin } from './plugin.ts'
import { settingNames, strangeSettings } from './setting-names.ts'

/** The plugins of a program, and the names of those that the program itself needs. */
export interface PlannedProgram<Need extends string = never> {
  needs: readonly Need[]
  /** Each plugin after its needs. */
  order: readonly Plugin[]
  /** The parsed settings of each plugin that has any, by plugin name. */
  configs: ReadonlyMap<string, unknown>
}

/**
 * Sorts the plugins and parses their settings, before anything is touched. Throws one BootError with every fault of all
 * of them; one that the program itself needs and that is not there is a fault, too. A misspelt setting is a fault; one that only looks like ours is logged, unless `lenient`: then both are
 * logged, for an older program may be given settings that only a newer one knows.
 */
export function planProgram<const Need extends string = never>(
  plugins: readonly Plugin[],
  options: {
    env: Environment
    log: Logger
    needs?: readonly Need[]
    lenient?: boolean
    knownBesides?: readonly string[]
  },
): PlannedProgram<Need> {
  const { env, log, needs = [], lenient = false, knownBesides = [] } = options
  const { order, faults } = bootOrder(plugins)
  for (const need of needs) {
    if (!plugins.some(({ name }) => name === need))
      faults.push(`the program needs the plugin "${need}", which is not there`)
  }
  const configs = new Map<string, unknown>()
  for (const plugin of order) {
    if (!plugin.config) continue
    const parsed = parseConfig(plugin.config, env)
    faults.push(...parsed.faults)
    configs.set(plugin.name, parsed.config)
  }
  const known = [...knownBesides, ...order.flatMap(plugin => settingNames(plugin.config))]
  const { misspelt, unknown } = strangeSettings(env, known)
  if (!lenient) faults.push(...misspelt)
  for (const words of lenient ? [...misspelt, ...unknown] : unknown) log.warn(words)
  if (faults.length > 0) throw new BootError([...new Set(faults)])
  return { needs, order, configs }
}

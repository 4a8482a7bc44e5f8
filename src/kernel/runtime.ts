import { type ContextOf, type Declaration, definerOf, type PluginParts } from './plugin.ts'
import { assemblerOf } from './program.ts'

/** The services of the runtime's plugins. A plugin's `contract.ts` adds its own with `declare module`. */
export interface Services {}

/** The events they emit, named as past facts, with their payload. */
export interface Events {}

/** The hooks that they call. Declared in the contract of the plugin that calls it. */
export interface Hooks {}

interface Runtime {
  services: Services
  events: Events
  hooks: Hooks
}

/** What a setup in a file of its own gets and returns: `SetupContext<typeof declaration>`. */
export type SetupContext<D extends Declaration<Runtime>> = ContextOf<Runtime, D>
export type SetupParts<D extends Declaration<Runtime>> = PluginParts<Runtime, D['name']>

/** Declares a plugin of the runtime. */
export const definePlugin = definerOf<Runtime>()

/** Sets up the plugins of the runtime. */
export const assemble = assemblerOf<Runtime>()

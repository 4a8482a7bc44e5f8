import { type ContextOf, type Declaration, definerOf, type PluginParts } from './plugin.ts'
import { assemblerOf } from './program.ts'

/** What the plugins of the runtime offer each other. A plugin's `contract.ts` adds its own with `declare module`. */
export interface Services {}

/** What they announce, as past facts with their payload. */
export interface Events {}

/** What they let each other have a say in. Declared in the contract of the plugin that asks. */
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

import { definerOf } from './plugin.ts'
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

/** Declares a plugin of the runtime. */
export const definePlugin = definerOf<Runtime>()

/** Sets up the plugins of the runtime. */
export const assemble = assemblerOf<Runtime>()

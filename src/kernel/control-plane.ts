import { definerOf } from './plugin.ts'

/** What the plugins of the control plane offer each other. A plugin's `contract.ts` adds its own with `declare module`. */
export interface Services {}

/** What they announce, as past facts with their payload. */
export interface Events {}

/** What they let each other have a say in. Declared in the contract of the plugin that asks. */
export interface Hooks {}

/** Declares a plugin of the control plane. */
export const definePlugin = definerOf<{ services: Services; events: Events; hooks: Hooks }>()

import type { z } from 'zod'
import { definerOf, type PluginContext, type PluginParts } from './plugin.ts'
import { assemblerOf } from './program.ts'

/** What the plugins of the control plane offer each other. A plugin's `contract.ts` adds its own with `declare module`. */
export interface Services {}

/** What they announce, as past facts with their payload. */
export interface Events {}

/** What they let each other have a say in. Declared in the contract of the plugin that asks. */
export interface Hooks {}

interface ControlPlane {
  services: Services
  events: Events
  hooks: Hooks
}

/**
 * What `setup` gets and returns, for a setup that is a file of its own: the names of its needs, its settings, its tables,
 * the hooks that it asks.
 */
export type SetupContext<
  Need extends keyof Services,
  Config extends z.ZodType,
  Schema extends Record<string, unknown>,
  Asks = Record<never, never>,
> = PluginContext<ControlPlane, Need, z.output<Config>, Schema, Asks>
export type SetupParts<Name> = PluginParts<ControlPlane, Name>

/** Declares a plugin of the control plane. */
export const definePlugin = definerOf<ControlPlane>()

/** Sets up the plugins of the control plane. */
export const assemble = assemblerOf<ControlPlane>()

import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Route } from '../http/route.ts'
import type { Logger } from '../log.ts'
import type { Metric } from '../metrics/exposition.ts'
import type { Db, Tables } from '../storage/database.ts'
import type { Concern } from './concern.ts'
import type { Answers, HookAsker, HookNeed } from './hooks.ts'
import type { Task } from './tasks.ts'

/**
 * The interfaces between the plugins of one program, by name: their services, the events they emit, and the hooks
 * through which one asks the others. Each `contract.ts` adds its own with `declare module`.
 */
export interface Registry {
  services: object
  events: object
  hooks: object
}

/** A condition for the program to be healthy. Throws with the reason if it is not met. */
export type Check = () => void | Promise<void>

/** What a check throws when its plugin lists the reason as a concern of its own: operators are alerted once, not twice. */
export class ListedFault extends Error {
  override name = 'ListedFault'
}

/** What `setup` gets: the plugin's own parts, and what it declared. */
export interface PluginContext<
  R extends Registry,
  Need extends keyof R['services'],
  Config,
  Schema extends Record<string, unknown>,
  Asks,
> {
  config: Config
  /** Only this plugin's tables. */
  db: Db<Schema>
  log: Logger
  clock: Clock
  /** The services of the declared needs only. */
  services: Pick<R['services'], Need>
  /** Calls the hooks that this plugin declared. Others answer once every plugin is set up. */
  hooks: HookAsker<R['hooks'], Asks>
  /** Notifies the listeners. A lost event delays work and never loses it: a task reads the tables again. */
  emit<E extends keyof R['events']>(event: E, payload: R['events'][E]): void
  /** Starts the next round of one of this plugin's tasks now. */
  nudge(task: string): void
  /** The checks of every plugin, by name. */
  checks(): ReadonlyMap<string, Check>
  /** The periodic tasks of all plugins whose last rounds failed, as `plugin:task`, with the reason. */
  taskFaults(): readonly { task: string; reason: string }[]
  /** The figures of every plugin. One that cannot give its figures gives `error` instead. */
  metrics(): Promise<readonly PluginMetrics[]>
  /** What every plugin wants the operator to know now. A plugin that cannot say is a concern of its own. */
  concerns(): Promise<readonly Concern[]>
  /** The kinds of concerns that there may be, of every plugin. */
  concernKinds(): readonly string[]
}

/** What one plugin reports of itself, and how its periodic tasks fared. */
export interface PluginMetrics {
  plugin: string
  metrics: readonly Metric[]
  error: Error | null
  /** When the last round of each of its periodic tasks that did not fail ended; null before the first. */
  tasks: readonly { task: string; succeededAt: number | null }[]
}

/** How a program stops: with patience, work in progress may end by itself; without, it is interrupted. */
export interface StopOptions {
  patience: boolean
}

interface CommonParts {
  routes?: readonly Route[]
  tasks?: readonly Task[]
  checks?: Readonly<Record<string, Check>>
  /** Figures of this plugin, as they are now. Asked each time they are read, so it must be quick. */
  metrics?: () => readonly Metric[] | Promise<readonly Metric[]>
  /** What this plugin wants the operator to know now. Asked every few seconds, so it must be quick. */
  concerns?: () => readonly Concern[] | Promise<readonly Concern[]>
  /** Every kind that its concerns may have. */
  concernKinds?: readonly string[]
  /** Runs once every plugin is set up; plugins start in order. */
  start?: () => void | Promise<void>
  /** Runs in reverse order, while the program still listens: ends work that would keep connections open. */
  drain?: (how: StopOptions) => void | Promise<void>
  /** Releases what setup and start acquired; plugins stop in reverse order. */
  stop?: () => void | Promise<void>
}

/** A plugin that others may need offers a service: its type declares which. */
type Offered<R extends Registry, Name> = Name extends keyof R['services']
  ? { service: R['services'][Name] }
  : { service?: undefined }

export type PluginParts<R extends Registry, Name> = Offered<R, Name> &
  CommonParts & {
    on?: { [E in keyof R['events']]?: (payload: R['events'][E]) => void | Promise<void> }
    /** This plugin's answers to other plugins' hooks. */
    hooks?: Answers<R['hooks']>
  }

export interface PluginSpec<
  R extends Registry,
  Name extends string,
  Need extends keyof R['services'],
  Config extends z.ZodType,
  Schema extends Record<string, unknown>,
  Asks,
> {
  name: Name
  needs?: readonly Need[]
  /** Settings from the environment: the object's keys are the names of the variables. */
  config?: Config
  tables?: Tables<Schema>
  /** The hooks that this plugin calls, each with how many plugins may answer. */
  asks?: Asks
  setup(
    context: PluginContext<R, Need, z.output<Config>, Schema, Asks>,
  ): PluginParts<R, Name> | Promise<PluginParts<R, Name>>
}

/** What a plugin declares of itself: all of its spec but `setup`. */
export interface Declaration<R extends Registry> {
  name: string
  needs?: readonly (keyof R['services'])[]
  config?: z.ZodType
  tables?: Tables<Record<string, unknown>>
  asks?: { [H in keyof R['hooks']]?: HookNeed }
}

/** What the setup of a plugin gets that declares this. */
export type ContextOf<R extends Registry, D extends Declaration<R>> = PluginContext<
  R,
  D extends { needs: readonly (infer Need extends keyof R['services'])[] } ? Need : never,
  D extends { config: infer Config extends z.ZodType } ? z.output<Config> : undefined,
  D extends { tables: { schema: infer Schema extends Record<string, unknown> } }
    ? Schema
    : Record<string, never>,
  D extends { asks: infer Asks } ? Asks : Record<never, never>
>

type AnyContext = PluginContext<Registry, never, unknown, Record<string, unknown>, object>

/** A plugin without its types, for lists. */
export interface Plugin {
  name: string
  needs: readonly string[]
  config: z.ZodType | undefined
  tables: Tables<Record<string, unknown>> | undefined
  asks: Readonly<Record<string, HookNeed>>
  setup(context: AnyContext): MadeParts | Promise<MadeParts>
}

export type MadeParts = CommonParts & {
  service?: unknown
  on?: Readonly<Record<string, unknown>>
  hooks?: Readonly<Record<string, unknown>>
}

/** Returns the `definePlugin` of one program: fully typed, and a plugin gets only what it declares. */
export function definerOf<R extends Registry>() {
  return function definePlugin<
    const Name extends string,
    Need extends keyof R['services'] = never,
    Config extends z.ZodType = z.ZodUndefined,
    Schema extends Record<string, unknown> = Record<string, never>,
    const Asks extends { [H in keyof R['hooks']]?: HookNeed } = Record<never, never>,
  >(spec: PluginSpec<R, Name, Need, Config, Schema, Asks>): Plugin {
    return {
      name: spec.name,
      needs: (spec.needs ?? []) as readonly string[],
      config: spec.config,
      tables: spec.tables,
      asks: (spec.asks ?? {}) as Record<string, HookNeed>,
      setup: context =>
        spec.setup(context as unknown as PluginContext<R, Need, z.output<Config>, Schema, Asks>) as
          | MadeParts
          | Promise<MadeParts>,
    }
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import type { Clock } from './clock.ts'
import type { Db, Tables } from './database.ts'
import type { Route } from './http/route.ts'
import type { Logger } from './log.ts'
import type { Site } from './site.ts'
import type { Task } from './tasks.ts'

/** What plugins offer each other, by name. A plugin's `contract.ts` adds its own with `declare module`. */
export interface Services {}

/** What plugins announce, as past facts with their payload. A `contract.ts` adds its own. */
export interface Events {}

export type ServiceName = keyof Services
export type EventName = keyof Events

/** One thing that must be true for the program to be healthy; throws in words when it is not. */
export type Check = () => void | Promise<void>

export interface PluginContext<Need extends ServiceName, Config, Schema extends Record<string, unknown>> {
  config: Config
  site: Site
  /** This plugin's tables, and nobody else's. */
  db: Db<Schema>
  log: Logger
  clock: Clock
  /** The services of the declared needs; others are not there. */
  services: Pick<Services, Need>
  /** A nudge to whoever listens. Losing one delays work and never loses it: a task reads the tables again. */
  emit<E extends EventName>(event: E, payload: Events[E]): void
  /** Starts the next round of one of this plugin's own tasks now. */
  nudge(task: string): void
  /** The checks of every plugin, for whoever reports on them. */
  checks(): ReadonlyMap<string, Check>
  /** The periodic tasks of every plugin whose last rounds failed, as `plugin:task`, with why. */
  taskFaults(): readonly { task: string; reason: string }[]
}

/** A plugin that others may need offers a service: its type says which. */
type Offered<Name extends string> = Name extends ServiceName
  ? { service: Services[Name] }
  : { service?: undefined }

export type PluginParts<Name extends string> = Offered<Name> & CommonParts

interface CommonParts {
  routes?: readonly Route[]
  tasks?: readonly Task[]
  on?: { [E in EventName]?: (payload: Events[E]) => void | Promise<void> }
  checks?: Readonly<Record<string, Check>>
  /** Origins elsewhere that a form of this plugin's pages leads on to; asked with each page. */
  formTargets?: () => readonly string[]
  /** Takes a request before the app does; false leaves it to the app. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Takes a connection upgrade; false leaves it to the next plugin, and in the end refuses it. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
  /** Runs when everything is set up and before the first request; plugins start in order. */
  start?: () => void | Promise<void>
  /** Runs while the program still listens: lets go of what would keep its connections open for ever. */
  drain?: () => void | Promise<void>
  /** Releases whatever setup and start took; plugins stop in reverse order. */
  stop?: () => void | Promise<void>
}

export interface PluginSpec<
  Name extends string,
  Need extends ServiceName,
  Config extends z.ZodType,
  Schema extends Record<string, unknown>,
> {
  name: Name
  needs?: readonly Need[]
  /** Settings from the environment: the object's keys are the variables' names. */
  config?: Config
  tables?: Tables<Schema>
  setup(
    context: PluginContext<Need, z.output<Config>, Schema>,
  ): PluginParts<Name> | Promise<PluginParts<Name>>
}

/** A plugin whose types are forgotten, for lists of them. */
export interface Plugin {
  name: string
  needs: readonly string[]
  config: z.ZodType | undefined
  tables: Tables<Record<string, unknown>> | undefined
  setup(context: PluginContext<never, unknown, Record<string, unknown>>): MadeParts | Promise<MadeParts>
}

export type MadeParts = CommonParts & { service?: unknown }

/** Declares a plugin: typed end to end, and given only what it declares. */
export function definePlugin<
  const Name extends string,
  Need extends ServiceName = never,
  Config extends z.ZodType = z.ZodUndefined,
  Schema extends Record<string, unknown> = Record<string, never>,
>(spec: PluginSpec<Name, Need, Config, Schema>): Plugin {
  return {
    name: spec.name,
    needs: spec.needs ?? [],
    config: spec.config,
    tables: spec.tables,
    setup: context => spec.setup(context as unknown as PluginContext<Need, z.output<Config>, Schema>),
  }
}

// Jobs run on Node. Its types are there as soon as @types/node is installed, and nothing complains until then.
/// <reference types="node" />

/**
 * What a job's function gets. A function in a file of its own says which: `JobContext<ParamsOf<typeof params>, 'API_TOKEN'>`.
 */
export interface JobContext<Params = Readonly<Record<string, unknown>>, Secret extends string = string> {
  /** What the run was started with, as the job's `params` make it; the defaults on schedule. */
  readonly params: Params
  /** The values of the secrets that the job declares; asking for another one throws. */
  readonly secrets: Readonly<Record<Secret, string>>
  /** Aborted when the run is cancelled, has used up its time or the instance stops. A few seconds later it is killed. */
  readonly signal: AbortSignal
  readonly run: {
    readonly id: string
    /** The due time that this run is for; null when a person or a script asked for it. */
    readonly slot: Date | null
    /** 1 for the first try. */
    readonly attempt: number
    readonly trigger: 'schedule' | 'manual' | 'api'
  }
  readonly state: JobState
  /** Writes a line to the run's log, as `console.log` does. */
  log(...values: unknown[]): void
}

/**
 * What the job remembers from run to run: values that JSON has, by key. What was awaited is kept, whatever becomes of the
 * run. Up to 64 KiB a value, 1 MiB and 1000 keys a job; what would be more throws.
 */
export interface JobState {
  /** Undefined when nothing was set. */
  get<T = unknown>(key: string): Promise<T | undefined>
  set(key: string, value: unknown): Promise<void>
  /** False when there was none. */
  delete(key: string): Promise<boolean>
  /** By key. */
  entries(): Promise<[key: string, value: unknown][]>
}

/** A job, as `manifest.ts` registers it. */
export interface JobDefinition<
  Params extends ParamsDefinition | undefined = ParamsDefinition | undefined,
  Secret extends string = string,
> {
  /** Lowercase letters, digits and dashes, such as `daily-digest`. It names the job in addresses and in its history. */
  id: string
  /**
   * When it runs: five cron fields (`0 8 * * *`), six with seconds in front (`0 30 8 * * 1`), or a name such as
   * `@hourly`.
   */
  cron: string
  /** What runs. What it returns is kept as the run's result (as JSON, up to 64 KiB); a throw fails the run. */
  func: (context: JobContext<ParamsOf<Params>, NoInfer<Secret>>) => unknown
  /** One line for people. */
  description?: string | undefined
  /** The zone that `cron` is meant in, such as `Europe/Berlin`; the instance's own when left out. */
  timezone?: string | undefined
  /** The longest that a run may take: `30s`, `10m`, `2h`. Five minutes when left out, a day at most. */
  timeout?: string | undefined
  /**
   * The most memory that a run may hold with all that it starts: `256m`, `1g`. What the instance has room for when left
   * out: three quarters of its memory, a gigabyte at most.
   */
  memory?: string | undefined
  /**
   * What becomes of slots that came while the instance was not running: `latest` runs the newest of them (the
   * default), `all` each, in order, `none` not one.
   */
  catchUp?: 'none' | 'latest' | 'all' | undefined
  /** Slots older than this are not caught up: `1h`, `7d`. A day when left out. */
  catchUpWindow?: string | undefined
  /**
   * What becomes of a slot that comes while the run before it has not ended: `skip` leaves it out (the default),
   * `queue` runs it after that, `replace` ends that and runs it.
   */
  overlap?: 'skip' | 'queue' | 'replace' | undefined
  /** Runs that fail or take too long are tried again, with the code that they were due with. Not when left out. */
  retry?: RetryPolicy | undefined
  /** What becomes of a run that ended with its instance: `rerun` starts it again, three times at most. */
  onInterrupt?: 'fail' | 'rerun' | undefined
  /** Of all jobs with the same key, one run goes at a time. */
  concurrencyKey?: string | undefined
  /**
   * The parameters of its runs: a plain shape, such as `{ name: 'string', count: { type: 'number', default: 3 } }`,
   * or a schema of zod (or another library that follows Standard Schema) for an object. The form for a manual run is
   * made from it, and invalid values are refused. Scheduled runs get the defaults, so each parameter needs a default
   * or must be optional.
   */
  params?: Params
  /** The job’s notices and their recipients, where they differ from the page Settings; `false` sends none. */
  notify?: false | NotifyOptions | undefined
  /**
   * Names of the secrets that its runs get, such as `['API_TOKEN']`: in the context, and as environment variables. No
   * other job sees them. While one of them is not set, its runs fail before they begin, and its page says so.
   */
  secrets?: readonly Secret[] | undefined
}

export interface NotifyOptions {
  /** So many of its runs must fail one after the other, 20 at most; `false` never tells. */
  failures?: number | false | undefined
  /**
   * Notify when a run takes longer than this: `10m`. By default the time from one due time to the next; `false` never
   * notifies.
   */
  longRun?: string | false | undefined
  /** `false` does not tell when a due time comes to nothing, or when there is none any more. */
  overdue?: boolean | undefined
  /** `false` does not tell due times that passed while the instance was down. */
  missed?: boolean | undefined
  /** Email recipients, instead of those on the page Settings. */
  emails?: readonly string[] | undefined
  /** A webhook for notices, instead of the one on the page Settings. */
  webhook?: string | undefined
}

export type ParamsDefinition = ParamsSchema | ParamsShape

/** A schema of any library that follows https://standardschema.dev. */
export interface ParamsSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => unknown
    readonly types?: { readonly input: unknown; readonly output: unknown } | undefined
  }
}

/** Parameters by name. Each must be given, unless it has a default or is optional. */
export interface ParamsShape {
  readonly [name: string]: ParamType | ParamOptions
}

/**
 * `text` is text of several lines, `date` a day such as `2026-01-31`, `json` anything that JSON has, and a list of values a
 * choice of one of them.
 */
export type ParamType =
  | 'string'
  | 'text'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'date'
  | 'json'
  | readonly (string | number)[]

export interface ParamOptions {
  readonly type: ParamType
  readonly default?: unknown
  readonly optional?: boolean | undefined
  /** One line beside it in the form. */
  readonly description?: string | undefined
  /** Of a number its least value, of text its least length. */
  readonly min?: number | undefined
  readonly max?: number | undefined
}

/** What a function gets of these parameters. */
export type ParamsOf<Definition> = [Definition] extends [undefined]
  ? Readonly<Record<string, unknown>>
  : Definition extends { readonly '~standard': { readonly types?: infer Types } }
    ? NonNullable<Types> extends { readonly output: infer Output }
      ? Output
      : Readonly<Record<string, unknown>>
    : {
        readonly [Name in keyof Definition as IsOptional<Definition[Name]> extends true
          ? never
          : Name]: ParamValue<Definition[Name]>
      } & {
        readonly [Name in keyof Definition as IsOptional<Definition[Name]> extends true
          ? Name
          : never]?: ParamValue<Definition[Name]>
      }

type IsOptional<Param> = Param extends { readonly default: unknown }
  ? false
  : Param extends { readonly optional: true }
    ? true
    : false

type ParamValue<Param> = Param extends { readonly type: infer Type }
  ? ParamValue<Type>
  : Param extends readonly (infer Value)[]
    ? Value
    : Param extends 'number' | 'integer'
      ? number
      : Param extends 'boolean'
        ? boolean
        : Param extends 'json'
          ? unknown
          : string

export interface RetryPolicy {
  /** The number of attempts, the first one included. */
  attempts: number
  /** From the failure to the next attempt: `30s`, `5m`. Ten seconds when left out. */
  delay?: string | undefined
  /** Each delay is so many times the one before it. 2 when left out. */
  factor?: number | undefined
  /** No delay is longer. An hour when left out. */
  maxDelay?: string | undefined
  /** From 0 to 1: how much of each delay is left to chance, up or down. 0 when left out. */
  jitter?: number | undefined
}

export interface JobRegistry {
  /** Registers a job. Mistakes are shown with file and line, and the jobs that ran before go on. */
  register<
    const Params extends ParamsDefinition | undefined = undefined,
    const Secret extends string = never,
  >(job: JobDefinition<Params, Secret>): void
}

export declare const jobRegistry: JobRegistry

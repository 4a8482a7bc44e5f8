// Imports of text files, such as `./letter.txt`.
/// <reference path="./text.d.ts" />
// Jobs run on Node. Its types are available once @types/node is installed; until then nothing fails.
/// <reference types="node" />

/**
 * The context that a job's function gets. A function in a file of its own declares it: `JobContext<ParamsOf<typeof
 * params>, 'API_TOKEN'>`.
 */
export interface JobContext<Params = Readonly<Record<string, unknown>>, Secret extends string = string> {
  /** The run's parameters, as parsed by the job's `params`; the defaults for scheduled runs. */
  readonly params: Params
  /** The values of the declared secrets; asking for another one throws. */
  readonly secrets: Readonly<Record<Secret, string>>
  /**
   * Aborted when the run is cancelled, exceeds its time limit or the instance stops. A few seconds later the run is
   * killed.
   */
  readonly signal: AbortSignal
  readonly run: {
    readonly id: string
    /** The due time of this run; null for a manual run or a run by API. */
    readonly slot: Date | null
    /** 1 for the first attempt. */
    readonly attempt: number
    readonly trigger: 'schedule' | 'manual' | 'api'
  }
  readonly state: JobState
  /** Writes a line to the run's log, as `console.log` does. */
  log(...values: unknown[]): void
}

/**
 * State that the job keeps between runs: JSON values by key. A confirmed change is kept, whatever happens to the run.
 * At most 64 KiB per value, 1 MiB and 1000 keys per job; more than that throws.
 */
export interface JobState {
  /** Undefined for a missing key. */
  get<T = unknown>(key: string): Promise<T | undefined>
  set(key: string, value: unknown): Promise<void>
  /** Returns false if there was none. */
  delete(key: string): Promise<boolean>
  /** Sorted by key. */
  entries(): Promise<[key: string, value: unknown][]>
}

/** A job as registered in `manifest.ts`. */
export interface JobDefinition<
  Params extends ParamsDefinition | undefined = ParamsDefinition | undefined,
  Secret extends string = string,
> {
  /**
   * Lowercase letters, digits and dashes, such as `daily-digest`. Identifies the job in addresses and in its history.
   */
  id: string
  /**
   * When it runs: five cron fields (`0 8 * * *`), six with seconds first (`0 30 8 * * 1`), or a name such as
   * `@hourly`.
   */
  cron: string
  /**
   * The function to run. Its return value is kept as the run's result (as JSON, up to 64 KiB); an exception fails the
   * run.
   */
  func: (context: JobContext<ParamsOf<Params>, NoInfer<Secret>>) => unknown
  /** One line that describes the job. */
  description?: string | undefined
  /** The time zone of `cron`, such as `Europe/Berlin`; by default the instance's. */
  timezone?: string | undefined
  /** The time limit of a run: `30s`, `10m`, `2h`. By default five minutes; at most a day. */
  timeout?: string | undefined
  /**
   * The memory limit of a run and its child processes: `256m`, `1g`. By default three quarters of the instance's
   * memory, at most a gigabyte.
   */
  memory?: string | undefined
  /**
   * What to do about slots missed while the instance was not running: `latest` runs the newest one (the default),
   * `all` runs each in order, `none` runs no slot.
   */
  catchUp?: 'none' | 'latest' | 'all' | undefined
  /** Slots older than this are not caught up: `1h`, `7d`. By default a day. */
  catchUpWindow?: string | undefined
  /**
   * What to do about a slot that is due while the previous run is active: `skip` skips it (the default), `queue` runs
   * it afterwards, `replace` cancels the previous run and starts it.
   */
  overlap?: 'skip' | 'queue' | 'replace' | undefined
  /** Retries runs that fail or time out, with the code of their slot. By default there are no retries. */
  retry?: RetryPolicy | undefined
  /** What to do about a run that was interrupted with its instance: `rerun` starts it again, at most three times. */
  onInterrupt?: 'fail' | 'rerun' | undefined
  /** Of all jobs with the same key, only one run is in progress at a time. */
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
   * Names of the secrets for its runs, such as `['API_TOKEN']`: in the context, and as environment variables. Other
   * jobs do not see them. While one of them is not set, its runs fail before they start, and its page says so.
   */
  secrets?: readonly Secret[] | undefined
}

export interface NotifyOptions {
  /** Notify after this many failed runs in a row, at most 20; `false` never notifies. */
  failures?: number | false | undefined
  /**
   * Notify when a run takes longer than this: `10m`. By default the time from one due time to the next; `false` never
   * notifies.
   */
  longRun?: string | false | undefined
  /** `false` does not notify when a slot is overdue, or when there are no further slots. */
  overdue?: boolean | undefined
  /** `false` does not notify about slots missed while the instance was down. */
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

/** Parameters by name. Each is required unless it has a default or is optional. */
export interface ParamsShape {
  readonly [name: string]: ParamType | ParamOptions
}

/**
 * `text` is text of several lines, `date` a day such as `2026-01-31`, `json` any JSON value, and a list of values a
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
  /** For a number its minimum, for text its minimum length. */
  readonly min?: number | undefined
  readonly max?: number | undefined
}

/** The type of these parameters in the job's function. */
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
  /** The delay from a failure to the next attempt: `30s`, `5m`. By default ten seconds. */
  delay?: string | undefined
  /** Each delay is this many times the previous one. By default 2. */
  factor?: number | undefined
  /** The longest delay. By default an hour. */
  maxDelay?: string | undefined
  /** From 0 to 1: the random part of each delay, up or down. By default 0. */
  jitter?: number | undefined
}

export interface JobRegistry {
  /** Registers a job. Errors are shown with file and line, and the previous jobs keep running. */
  register<
    const Params extends ParamsDefinition | undefined = undefined,
    const Secret extends string = never,
  >(job: JobDefinition<Params, Secret>): void
}

export declare const jobRegistry: JobRegistry

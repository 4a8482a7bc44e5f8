import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import type { Logger } from '../log.ts'

export interface AppEnv {
  Bindings: Partial<HttpBindings>
  Variables: {
    requestId: string
    /** The client’s address, behind any configured proxies. */
    client: string
    log: Logger
    /** Who asks, once a guard that tells people apart has let them in. */
    actor: Actor | undefined
    /** For an audit log: what a change was about, when its path does not say it; null when nothing was changed. */
    about: string | null | undefined
  }
}

export interface Actor {
  kind: 'session' | 'token'
  /** What people call it: the token's name. */
  name: string
  /** The account, after single sign-on through the control plane. */
  email?: string
}

export type AppContext = Context<AppEnv>

/** Who may call a route. `check` throws a Problem to refuse; what a guard learns it keeps for the handler. */
export interface Guard {
  /** Names of OpenAPI security schemes, any of which is enough. */
  schemes: readonly ('bearer' | 'session' | 'account')[]
  check: MiddlewareHandler<AppEnv>
}

/** A route that anyone may call, said out loud. */
export const open: Guard = { schemes: [], check: (_, next) => next() }

type Shape = z.ZodType | undefined
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined

export interface RouteSpec<P extends Shape = Shape, Q extends Shape = Shape, B extends Shape = Shape> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As OpenAPI writes it: `/admin/instances/{subdomain}`. `{path...}` at the end takes in slashes too. */
  path: string
  summary: string
  guard: Guard
  params?: P
  /** Parameters of the query. A program that sends others is refused; a page's address may carry more. */
  query?: Q
  /** The fields of the body, whether it comes as JSON or as a form. A body with others is refused. */
  body?: B
  /**
   * The handler reads the body itself; words say what that is, for the API's description. Without this and `body`, a
   * request that changes something may carry no field.
   */
  rawBody?: true | string
  /** The most that a body may hold; 1 MiB when not said. */
  limitBytes?: number
  /** `type` when it is not JSON; several when the client's `Accept` chooses. */
  answers: Record<
    number,
    {
      description: string
      schema?: z.ZodType
      type?: string | readonly string[]
      /** Headers that a client may look at, with what they say. */
      headers?: Readonly<Record<string, string>>
    }
  >
  /** The operation's id in the API's description, where the one made of its path reads badly; see `operationName`. */
  operation?: string
  /** The group it belongs to there, when that is not the first word of its path. */
  tag?: string
  /** Takes query parameters that it does not know: others decide what they add to its address. */
  anyQuery?: boolean
  /** Answers also while the program is starting. */
  early?: boolean
  /** The handler honours `Prefer: wait=N`. */
  mayWait?: boolean
  /** A page only for people: left out of the API's description. */
  pageOnly?: boolean
  /** Shows a browser its form again with the errors beside the fields; without it a page lists them. */
  onInvalid?: (
    c: AppContext,
    errors: FieldErrors,
    fields: Record<string, unknown>,
  ) => Response | Promise<Response>
  handle(
    c: AppContext,
    input: { params: Parsed<P>; query: Parsed<Q>; body: Parsed<B> },
  ): Response | Promise<Response>
}

export type FieldErrors = { path: string; message: string }[]

/** A route whose types are forgotten, for lists of them. */
export interface Route extends Omit<RouteSpec, 'handle'> {
  handle(c: AppContext, input: { params: never; query: never; body: never }): Response | Promise<Response>
}

/** Declares one endpoint: what it takes, who may call it, what it answers. The API's description is made of this. */
export function route<P extends Shape = undefined, Q extends Shape = undefined, B extends Shape = undefined>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec as unknown as Route
}

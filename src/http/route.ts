import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import type { Principal } from '../acting.ts'
import type { Logger } from '../log.ts'

export interface AppEnv {
  Bindings: Partial<HttpBindings>
  Variables: {
    requestId: string
    /** The client’s address, behind any configured proxies. */
    client: string
    log: Logger
    /** The caller, once a guard that identifies callers has accepted them. */
    actor: Actor | undefined
    /** The role that the route needs, for its guard. */
    role: Role | undefined
    /** Whether a browser must have signed in just before, for the route's guard. */
    fresh: boolean | undefined
    /**
     * Asks the route's guard again, for a handler that reads the body itself or works for long: call it after that, before
     * anything is changed. Throws the refusal.
     */
    askAgain: () => Promise<void>
    /**
     * Calls back after each request of anyone that changed something: it may have ended a session or revoked a token. Returns a
     * function that stops that.
     */
    onChange: (listener: () => void) => () => void
    /** The role of the operator whom the guard let in, for what a page shows. */
    granted: Role | undefined
    /** What the person of this request may call, for what a page shows. */
    permits: Permits | undefined
    /** The same in the control plane: who acts, for what records it. */
    principal: Principal | undefined
    /**
     * For an audit log: the object of a change, if the path does not name it; null if nothing was changed, or nothing was there
     * to be guessed. A promise for a change that is made while its answer is being sent.
     */
    about: string | null | undefined | Promise<string | null>
  }
}

/** What an operator or one of their tokens may do; each includes the ones before it. */
export const roles = ['read', 'operate', 'own'] as const
export type Role = (typeof roles)[number]

/** Whether the person who looks at a page may call what a form or a link of it leads to. */
export type Permits = (method: 'get' | 'post', href: string) => boolean

export const actorKinds = ['session', 'token'] as const

export interface Actor {
  kind: (typeof actorKinds)[number]
  /** Its name for people: the token's name. */
  name: string
  /** The account, after single sign-on through the control plane. */
  email?: string
}

export type AppContext = Context<AppEnv>

/**
 * Who may call a route. `check` throws a Problem to refuse; it stores what it learns for the handler. A request with a body is
 * checked before the body is read, and again after.
 */
export interface Guard {
  /** Names of OpenAPI security schemes, any of which is sufficient. */
  schemes: readonly ('bearer' | 'session' | 'account')[]
  check: MiddlewareHandler<AppEnv>
}

/** The guard of a route that anyone may call. */
export const open: Guard = { schemes: [], check: (_, next) => next() }

type Shape = z.ZodType | undefined
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined

export interface RouteSpec<P extends Shape = Shape, Q extends Shape = Shape, B extends Shape = Shape> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** In OpenAPI's form: `/admin/instances/{subdomain}`. `{path...}` at the end includes slashes. */
  path: string
  summary: string
  guard: Guard
  /** For a route of the operator's: the role that it needs. Without it, the guard asks for the highest. */
  role?: Role
  /** For a change with grave consequences: a browser must have signed in within the last minutes. */
  fresh?: true
  params?: P
  /** Query parameters. A program that sends others is refused; a page's address may have more. */
  query?: Q
  /** The fields of the body, as JSON or as a form. A body with others is refused. */
  body?: B
  /**
   * The handler reads the body itself; a text describes it in the API's description. Without this and `body`, a
   * request that changes something may have no field.
   */
  rawBody?: true | string
  /** The largest body; 1 MiB by default. */
  limitBytes?: number
  /** `type` if it is not JSON; several if the client's `Accept` decides. */
  answers: Record<
    number,
    {
      description: string
      schema?: z.ZodType
      type?: string | readonly string[]
      /** Response headers for clients, with their descriptions. */
      headers?: Readonly<Record<string, string>>
    }
  >
  /** The operation's id in the API's description, if the default is awkward; see `operationName`. */
  operation?: string
  /** The operation's group, if it is not the first word of its path. */
  tag?: string
  /** Accepts unknown query parameters, because other sites add some to its address. */
  anyQuery?: boolean
  /** Responds even while the program is starting. */
  early?: boolean
  /**
   * How the control plane's audit log treats the route: by default it records what changes something. `changes` says that a
   * GET does; `refusals` that a stranger who is refused may be guessing, which is recorded too. With `none` nothing is
   * recorded, for this reason.
   */
  audit?: 'changes' | 'refusals' | { none: string }
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

/** A route without its types, for lists. */
export interface Route extends Omit<RouteSpec, 'handle'> {
  handle(c: AppContext, input: { params: never; query: never; body: never }): Response | Promise<Response>
}

/** Declares an endpoint: its input, its guard, its responses. The API's description is made from it. */
export function route<P extends Shape = undefined, Q extends Shape = undefined, B extends Shape = undefined>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec as unknown as Route
}

import { z } from 'zod'
import { Components, type JsonSchema } from './json-schema.ts'
import { longestWait } from './negotiate.ts'
import { operationName } from './operation-name.ts'
import type { Route } from './route.ts'
import { sessionCookieName } from './session-cookie.ts'
import { fieldsOf } from './unknown-fields.ts'

export interface ApiInfo {
  title: string
  version: string
  description: string
  /** What the groups of operations are about, by the first word of their paths. */
  tags?: Readonly<Record<string, string>>
}

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    request_id: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' })

/**
 * Returns the OpenAPI 3.1 description of these routes, made from the schemas that validate their input. `server` is
 * the public address; without it paths are relative to where the description was fetched.
 */
export function describeApi(
  info: ApiInfo,
  routes: readonly Route[],
  { https = false, server = null }: { https?: boolean; server?: string | null } = {},
): Record<string, unknown> {
  const components = new Components()
  const problem = components.describe(problemSchema, 'output')
  const paths: Record<string, Record<string, unknown>> = {}
  const used = new Map<string, string>()
  const tags = new Set<string>()
  for (const route of routes) {
    if (route.pageOnly) continue
    const path = route.path.replace('...}', '}')
    const name = operationName(route.method, path)
    const id = route.operation ?? name.id
    const tag = route.tag ?? name.tag
    const other = used.get(id)
    if (other) throw new Error(`${other} and ${route.method} ${path} are both called "${id}"`)
    used.set(id, `${route.method} ${path}`)
    tags.add(tag)
    paths[path] = { ...paths[path], [route.method]: describeRoute(route, { id, tag, components }) }
  }
  const { tags: about = {}, ...rest } = info
  return {
    openapi: '3.1.0',
    info: { ...rest, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: server ?? '/' }],
    tags: [...tags].sort().map(name => ({ name, description: about[name] ?? `Everything about ${name}` })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookieName(https) },
        // Only for programs with owner accounts, which an instance does not have.
        ...(routes.some(({ guard }) => guard.schemes.includes('account')) && {
          account: { type: 'apiKey', in: 'cookie', name: sessionCookieName(https, 'account') },
        }),
      },
      schemas: components.schemas(),
      responses: Object.fromEntries(
        Object.entries(refusals).map(([name, description]) => [name, { description, ...asProblem(problem) }]),
      ),
    },
  }
}

const refusals = {
  BadRequest: 'The body cannot be read',
  Unauthorized: 'Not signed in, or the token is unknown',
  Forbidden: 'The token’s scope does not allow this, or the request comes from another site',
  NotFound: 'Not found',
  TooLarge: 'The body is too large',
  UnsupportedMedia: 'The body is neither JSON nor a form',
  Invalid: 'A parameter or field is wrong or unknown; `errors` names each',
  Problem: 'What went wrong',
} as const

/** The refusals that are common to all routes of a kind. */
function refusalsOf(route: Route): Record<string, keyof typeof refusals> {
  const guarded = route.guard.schemes.length > 0
  return {
    ...(route.method === 'get' || route.method === 'delete'
      ? {}
      : { 400: 'BadRequest', 413: 'TooLarge', 415: 'UnsupportedMedia' }),
    ...(guarded ? { 401: 'Unauthorized' } : {}),
    ...(guarded || route.method !== 'get' ? { 403: 'Forbidden' } : {}),
    ...(route.path.includes('{') ? { 404: 'NotFound' } : {}),
    422: 'Invalid',
    default: 'Problem',
  }
}

function describeRoute(
  route: Route,
  { id, tag, components }: { id: string; tag: string; components: Components },
): Record<string, unknown> {
  const own = Object.entries(route.answers).map(([status, answer]) => {
    const { description } = answer
    const isProblem = Number(status) >= 400 && !answer.schema && !answer.type
    const body = isProblem ? asProblem({ $ref: '#/components/schemas/Problem' }) : content(answer, components)
    const headers = answer.headers && {
      headers: Object.fromEntries(
        Object.entries(answer.headers).map(([name, words]) => [
          name,
          { description: words, schema: { type: 'string' } },
        ]),
      ),
    }
    return [status, { description, ...headers, ...body }] as const
  })
  const common = Object.entries(refusalsOf(route)).map(
    ([status, name]) => [status, { $ref: `#/components/responses/${name}` }] as const,
  )
  return {
    operationId: id,
    tags: [tag],
    summary: route.summary,
    security: route.guard.schemes.map(scheme => ({ [scheme]: [] })),
    parameters: [
      ...pathParameters(route, components),
      ...parameters(route.query, 'query', components),
      ...(route.mayWait ? [preferWait] : []),
    ],
    ...requestBody(route, components),
    responses: Object.fromEntries([...common, ...own]),
  }
}

function asProblem(schema: JsonSchema) {
  return { content: { 'application/problem+json': { schema } } }
}

const preferWait = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: `\`wait=N\` (RFC 7240) answers when the work is done, or after N seconds; ${longestWait} at most`,
  schema: { type: 'string', examples: ['wait=30'] },
}

function requestBody({ body, rawBody }: Route, components: Components): Record<string, unknown> {
  if (typeof rawBody === 'string') {
    const content = { 'application/octet-stream': { schema: {} } }
    return { requestBody: { required: true, description: rawBody, content } }
  }
  if (!body || fieldsOf(body)?.length === 0) return {}
  const schema = components.describe(body, 'input')
  return {
    requestBody: {
      required: Array.isArray(schema.required) && schema.required.length > 0,
      content: {
        'application/json': { schema: fieldsOf(body) ? { ...schema, additionalProperties: false } : schema },
        'application/x-www-form-urlencoded': { schema },
      },
    },
  }
}

function content(
  { schema, type }: Route['answers'][number],
  components: Components,
): Record<string, unknown> {
  const shape = schema ? components.describe(schema, 'output') : { type: 'string' }
  const types = type === undefined ? (schema ? ['application/json'] : []) : [type].flat()
  return types.length === 0
    ? {}
    : { content: Object.fromEntries(types.map(each => [each, { schema: shape }])) }
}

/** Every name in the path; those without a schema are plain text. */
function pathParameters(route: Route, components: Components): Record<string, unknown>[] {
  const described = parameters(route.params, 'path', components)
  const names = [...route.path.matchAll(/\{(\w+)(?:\.\.\.)?\}/g)].map(match => match[1])
  return names.map(
    name =>
      described.find(parameter => parameter.name === name) ?? {
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      },
  )
}

function parameters(
  schema: z.ZodType | undefined,
  where: 'path' | 'query',
  components: Components,
): Record<string, unknown>[] {
  if (!schema) return []
  const { properties = {}, required = [] } = components.describe(schema, 'input') as {
    properties?: Record<string, { description?: string }>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(property.description ? { description: property.description } : {}),
    schema: property,
  }))
}

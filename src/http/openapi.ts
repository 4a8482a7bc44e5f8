import { z } from 'zod'
import { longestWait } from './negotiate.ts'
import type { Route } from './route.ts'
import { sessionCookieName } from './session-cookie.ts'
import { fieldsOf } from './unknown-fields.ts'

export interface ApiInfo {
  title: string
  version: string
  description: string
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
  .meta({ description: 'RFC 9457 problem details' })

/** The OpenAPI 3.1 description of these routes, made of the very schemas that validate their input. */
export function describeApi(
  info: ApiInfo,
  routes: readonly Route[],
  { https = false }: { https?: boolean } = {},
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    if (route.pageOnly) continue
    const path = route.path.replace('...}', '}')
    paths[path] = { ...paths[path], [route.method]: describeRoute(route) }
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookieName(https) },
        // Only where owners have accounts: an instance knows none.
        ...(routes.some(({ guard }) => guard.schemes.includes('account')) && {
          account: { type: 'apiKey', in: 'cookie', name: sessionCookieName(https, 'account') },
        }),
      },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
    },
  }
}

function describeRoute(route: Route): Record<string, unknown> {
  return {
    summary: route.summary,
    security: route.guard.schemes.map(scheme => ({ [scheme]: [] })),
    parameters: [
      ...pathParameters(route),
      ...parameters(route.query, 'query'),
      ...(route.mayWait ? [preferWait] : []),
    ],
    ...requestBody(route),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [
          status,
          { description: answer.description, ...content(answer) },
        ]),
      ),
      default: {
        description: 'What went wrong',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

const preferWait = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: `\`wait=N\` (RFC 7240) answers when the work is done, or after N seconds; ${longestWait} at most`,
  schema: { type: 'string', examples: ['wait=30'] },
}

function requestBody({ body, rawBody }: Route): Record<string, unknown> {
  if (typeof rawBody === 'string') {
    const content = { 'application/octet-stream': { schema: {} } }
    return { requestBody: { required: true, description: rawBody, content } }
  }
  if (!body || fieldsOf(body)?.length === 0) return {}
  const schema = jsonSchema(body, 'input')
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

function content({ schema, type }: Route['answers'][number]): Record<string, unknown> {
  const shape = schema ? jsonSchema(schema, 'output') : { type: 'string' }
  const types = type === undefined ? (schema ? ['application/json'] : []) : [type].flat()
  return types.length === 0
    ? {}
    : { content: Object.fromEntries(types.map(each => [each, { schema: shape }])) }
}

/** Every name in the path, those that no schema describes as plain text. */
function pathParameters(route: Route): Record<string, unknown>[] {
  const described = parameters(route.params, 'path')
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

function parameters(schema: z.ZodType | undefined, where: 'path' | 'query'): Record<string, unknown>[] {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
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

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { appForTest } from '../testing/app.ts'
import { describeApi } from './openapi.ts'
import { operationName } from './operation-name.ts'
import { open, type Route, route } from './route.ts'

const guard = { schemes: ['bearer', 'session'] as const, check: open.check }
const instance = z.object({ id: z.string(), size: z.int() })
const routes: Route[] = [
  route({
    method: 'get',
    path: '/instances',
    summary: 'List',
    guard,
    query: z.object({ status: z.enum(['a', 'b']).optional().describe('Only these'), from: z.string() }),
    answers: { 200: { description: 'All', schema: z.object({ instances: z.array(instance) }) } },
    handle: c => c.json({}),
  }),
  route({
    method: 'post',
    path: '/instances',
    summary: 'Make one',
    guard,
    body: z.object({ size: z.coerce.number().int().min(1), note: z.string().trim().optional() }),
    mayWait: true,
    answers: { 202: { description: 'Begun', schema: instance } },
    handle: c => c.json({}),
  }),
  route({
    method: 'delete',
    path: '/instances/{name}/runs/{run}',
    summary: 'Remove',
    guard: open,
    params: z.object({ name: z.string().min(3) }),
    answers: { 204: { description: 'Gone' } },
    handle: c => c.body(null, 204),
  }),
  route({
    method: 'get',
    path: '/log',
    summary: 'A log',
    guard: open,
    answers: { 200: { description: 'Text', type: ['text/plain', 'text/event-stream'] } },
    handle: c => c.text(''),
  }),
  route({
    method: 'get',
    path: '/login',
    summary: 'A page',
    guard: open,
    pageOnly: true,
    answers: {},
    handle: c => c.text(''),
  }),
]

interface Operation {
  summary: string
  security: Record<string, string[]>[]
  parameters: { name: string; in: string; required: boolean; schema: unknown; description?: string }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Record<string, unknown> }> }
  responses: Record<
    string,
    { $ref?: string; description: string; content?: Record<string, { schema: object }> }
  >
}
interface Description {
  openapi: string
  info: object
  paths: Record<string, Record<string, Operation>>
  components: { schemas: object; securitySchemes: Record<string, { name?: string }> }
}

async function describe(https = false): Promise<Description> {
  const response = await appForTest(routes, { https }).request('/openapi.json')
  assert.equal(response.status, 200)
  return (await response.json()) as Description
}

test('every declared route is described, and pages for people are not', async () => {
  const { openapi, paths } = await describe()
  assert.equal(openapi, '3.1.0')
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map(m => `${m} ${path}`),
  )
  assert.deepEqual(described.sort(), [
    'delete /instances/{name}/runs/{run}',
    'get /instances',
    'get /log',
    'get /openapi.json',
    'post /instances',
  ])
})

test('the description is consistent: parameters, security schemes and references exist', async () => {
  const description = await describe()
  for (const [path, item] of Object.entries(description.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
    for (const operation of Object.values(item)) {
      const inPath = operation.parameters.filter(parameter => parameter.in === 'path')
      assert.deepEqual(
        inPath.map(({ name }) => name),
        names,
      )
      assert.ok(inPath.every(({ required }) => required))
      assert.ok(operation.parameters.every(({ schema }) => typeof schema === 'object'))
      assert.ok(operation.summary)
      for (const scheme of operation.security.flatMap(each => Object.keys(each))) {
        assert.ok(scheme in description.components.securitySchemes, scheme)
      }
      for (const { description: words, $ref } of Object.values(operation.responses)) assert.ok(words ?? $ref)
      assert.ok(operation.responses.default)
    }
  }
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(match => match[1])
  for (const reference of new Set(references)) {
    const [kind = '', name = ''] = (reference ?? '').replace('#/components/', '').split('/')
    assert.ok(name in ((description.components as Record<string, object>)[kind] ?? {}), `${reference}`)
  }
})

test('the described queries, bodies and guards are those that the routes check', async () => {
  const { paths } = await describe()
  const list = paths['/instances']?.get
  assert.deepEqual(
    list?.parameters.map(({ name, required, description }) => [name, required, description]),
    [
      ['status', false, 'Only these'],
      ['from', true, undefined],
    ],
  )
  assert.deepEqual(list?.security, [{ bearer: [] }, { session: [] }])
  assert.deepEqual(paths['/log']?.get?.security, [])
  assert.deepEqual(Object.keys(paths['/log']?.get?.responses['200']?.content ?? {}), [
    'text/plain',
    'text/event-stream',
  ])

  const { requestBody } = paths['/instances']?.post ?? {}
  assert.equal(requestBody?.required, true)
  assert.deepEqual(Object.keys(requestBody?.content ?? {}), [
    'application/json',
    'application/x-www-form-urlencoded',
  ])
  assert.deepEqual(requestBody?.content['application/json']?.schema.required, ['size'])
  assert.equal(requestBody?.content['application/json']?.schema.additionalProperties, false)
  const [prefer, ...others] = paths['/instances']?.post?.parameters ?? []
  assert.deepEqual(
    [prefer?.name, prefer?.in, prefer?.required, others.length],
    ['Prefer', 'header', false, 0],
  )
  assert.match(prefer?.description ?? '', /wait=N/)
  assert.ok(!paths['/instances']?.get?.parameters.some(({ name }) => name === 'Prefer'))
})

test('operations have readable names, and refuse to share one', async () => {
  for (const [method, path, id, tag] of [
    ['get', '/api/jobs', 'listJobs', 'jobs'],
    ['get', '/api/jobs/{id}', 'getJob', 'jobs'],
    ['get', '/api/jobs/{id}/runs', 'listJobRuns', 'jobs'],
    ['post', '/api/jobs/{id}/run', 'runJob', 'jobs'],
    ['post', '/api/tokens', 'createToken', 'tokens'],
    ['post', '/api/auth/password', 'postAuthPassword', 'auth'],
    ['post', '/api/jobs/repo/sync', 'postRepoSync', 'repo'],
    ['put', '/api/secrets/{name}', 'setSecret', 'secrets'],
    ['delete', '/admin/instances/{subdomain}', 'deleteAdminInstance', 'admin-instances'],
    ['post', '/admin/instances/{subdomain}/stop', 'stopAdminInstance', 'admin-instances'],
    ['get', '/health', 'getHealth', 'health'],
  ] as const)
    assert.deepEqual(operationName(method, path), { id, tag }, path)
  const [first] = routes
  assert.throws(
    () => describeApi({ title: '', version: '', description: '' }, [first, first] as Route[]),
    /get \/instances and get \/instances are both called "listInstances"/,
  )
})

test('the session is described by the cookie that is really set', async () => {
  assert.equal((await describe()).components.securitySchemes.session?.name, 'longhouse_session')
  assert.equal((await describe(true)).components.securitySchemes.session?.name, '__Host-longhouse_session')
})

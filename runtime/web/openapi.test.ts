import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClientCompiles, assertValid, type Description } from '../../src/testing/api-description.ts'
import { registry } from '../engine.fixture.ts'
import { browser, postJson, startWeb } from './web.fixture.ts'

const use = `import type { components, operations, paths } from './schema.ts'

type Run = components['schemas']['Run']
type Query = NonNullable<paths['/api/runs']['get']['parameters']['query']>
type Runs = operations['listRuns']['responses'][200]['content']['application/json']

export async function failedRuns(base: string, token: string, query: Query): Promise<Runs> {
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
  const answer = await fetch(base + '/api/runs?' + search, { headers: { Authorization: 'Bearer ' + token } })
  return (await answer.json()) as Runs
}

const { runs, total, next_cursor } = await failedRuns('', '', { limit: 5, status: 'failed' })
const words: string[] = runs.map((run: Run) => run.id + (run.error?.message ?? ''))
const more: string | null = next_cursor
const count: number = total
const jobs: components['schemas']['Job'][] = []
const last: Run | null | undefined = jobs[0]?.last_run
const body: NonNullable<operations['runJob']['requestBody']>['content']['application/json'] = { params: { a: 1 } }
export default [words, more, count, last, body]

// @ts-expect-error a number is a number
export const wrongNumber: Query = { limit: '5' }
// @ts-expect-error there is no such status
export const wrongStatus: Query = { status: 'broken' }
// @ts-expect-error there is no such field
export const wrongField: Query = { limits: 5 }
`

test('two validators accept the instance’s description, and a generated client compiles', async t => {
  const { app } = await startWeb(t, { withoutEngine: true, publicUrl: 'https://acme.example.com' })
  const description = (await (await app.request('/openapi.json')).json()) as Description
  await assertValid(description)
  assert.deepEqual(description.servers, [{ url: 'https://acme.example.com' }])
  for (const name of ['Job', 'Run', 'Problem', 'Manifest', 'Repo', 'Incident'])
    assert.ok(name in description.components.schemas, name)
  const list = description.paths['/api/jobs/{id}/runs']?.get
  assert.equal(list?.operationId, 'listJobRuns')
  assert.deepEqual(list?.tags, ['jobs'])
  assert.deepEqual(list?.parameters.find(({ name }) => name === 'limit')?.schema, {
    type: 'integer',
    minimum: 1,
    maximum: 500,
    default: 50,
  })
  assert.deepEqual(Object.keys(list?.responses ?? {}).sort(), ['200', '401', '403', '404', '422', 'default'])
  assert.ok(list?.responses['200']?.headers)
  for (const { description: words } of description.tags) assert.doesNotMatch(words, /^Everything about/)
  await assertClientCompiles(t, description, use)
})

test('an unknown query parameter is refused by name; pages and event streams accept others', async t => {
  const { app, signIn } = await startWeb(t, { files: { 'manifest.ts': registry } })
  const headers = { Cookie: await signIn() }
  const ask = async (path: string, more: Record<string, string> = {}) => {
    const answer = await app.request(path, { headers: { ...headers, ...more } })
    const { errors = [] } = answer.status === 422 ? ((await answer.json()) as { errors?: object[] }) : {}
    return [answer.status, errors]
  }
  assert.deepEqual(await ask('/api/runs?limt=5'), [
    422,
    [
      {
        path: 'limt',
        message: 'is not a query parameter here; there is "limit", "offset", "cursor", "status"',
      },
    ],
  ])
  assert.deepEqual(await ask('/api/jobs?limit=5'), [
    422,
    [{ path: 'limit', message: 'is not a query parameter here; none is taken' }],
  ])
  assert.deepEqual(await ask('/api/runs?limit=5&limit=6'), [
    422,
    [{ path: 'limit', message: 'must be given once' }],
  ])
  assert.deepEqual(await ask('/api/runs?__proto__=1').then(([status]) => status), 422)
  assert.deepEqual(await ask('/api/runs?limit=5'), [200, []])
  assert.deepEqual(await ask('/api/health?t=123'), [200, []])
  assert.equal((await app.request('/?utm_source=mail', { headers: { ...headers, ...browser } })).status, 200)
})

test('the list of runs is paginated by a cursor that new runs do not shift, and links lead through all pages', async t => {
  const files = {
    'manifest.ts': `${registry}jobRegistry.register({ id: 'job', cron: '0 8 1 1 *', func: () => 1 })`,
  }
  const { app, instance, signIn } = await startWeb(t, { files })
  const headers = { Cookie: await signIn() }
  const made: string[] = []
  for (let count = 0; count < 5; count++) made.unshift((await instance.run('job')).id)
  interface List {
    runs: { id: string }[]
    total: number
    next_cursor: string | null
  }
  const get = async (path: string) => {
    const answer = await app.request(path, { headers })
    assert.equal(answer.status, 200, path)
    const links = new Map(
      (answer.headers.get('link') ?? '').split(', ').map(link => {
        const [, to = '', rel = ''] = /^<(.*)>; rel="(\w+)"$/.exec(link) ?? []
        return [rel, to]
      }),
    )
    return { list: (await answer.json()) as List, links }
  }
  for (const start of ['/api/runs?limit=2', '/api/jobs/job/runs?limit=2']) {
    const seen: string[] = []
    let path: string | undefined = start
    while (path) {
      const { list, links }: Awaited<ReturnType<typeof get>> = await get(path)
      seen.push(...list.runs.map(({ id }) => id))
      assert.equal(list.next_cursor === null, !links.has('next'))
      assert.equal(links.get('first'), start)
      path = links.get('next')
      // A run that comes now moves nothing: by offset the last one of the page before would come again.
      if (seen.length === 2) await instance.run('job')
    }
    assert.deepEqual(seen, made, start)
    made.unshift((await get('/api/runs?limit=1')).list.runs[0]?.id ?? '')
  }
  const { list, links } = await get('/api/runs?limit=2&offset=2')
  assert.deepEqual(
    list.runs.map(({ id }) => id),
    made.slice(2, 4),
  )
  assert.deepEqual([list.total, links.get('prev')], [7, '/api/runs?limit=2&offset=0'])
  const found = await get('/api/jobs/job/runs?q=nothing-of-this')
  assert.deepEqual([found.list.total, found.list.next_cursor], [0, null])
  for (const [path, words] of [
    ['/api/runs?cursor=zz&offset=1', 'cannot be combined with offset; send one of them'],
    ['/api/runs?cursor=../', 'must be the next_cursor of a previous answer'],
    ['/api/runs?status=queued&cursor=1', 'cannot be combined with status=queued; send offset instead'],
    ['/api/jobs/job/runs?q=x&cursor=1', 'cannot be combined with q; send offset instead'],
  ] as const) {
    const answer = await app.request(path, { headers })
    assert.equal(answer.status, 422, path)
    const { errors } = (await answer.json()) as { errors: object[] }
    assert.deepEqual(errors, [{ path: 'cursor', message: words }])
  }
  assert.equal((await postJson(app, '/api/jobs/job/run?wait=5', {}, headers)).status, 422)
})

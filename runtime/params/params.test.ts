import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob, registry, standingClock, startInstance, until } from '../engine.fixture.ts'
import { browser, postForm, postJson, startWeb } from '../web/web.fixture.ts'
import { paramFaults } from './check.ts'

const job = (id: string, params: string, func = '({ params }) => params', more = '') =>
  `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func}, params: ${params}, ${more} })\n`

const shape = `{
  name: { type: 'string', default: 'Ada', min: 2, max: 10 },
  count: { type: 'integer', default: 3, min: 1, max: 5 },
  kind: { type: ['small', 'large'], default: 'small' },
  day: { type: 'date', optional: true },
  dry: { type: 'boolean', default: false },
  more: { type: 'json', optional: true },
}`
const defaults = { name: 'Ada', count: 3, kind: 'small', dry: false }

const zod = `z.strictObject({
  since: z.iso.date().default('2026-01-01').transform(text => new Date(text)),
  count: z.number().int().min(1).default(3).refine(n => n !== 4, 'must not be four'),
  note: z.string().optional(),
})`

test('parameters of a plain shape get defaults, and invalid ones are refused by name', async t => {
  const { app, signIn, instance } = await startWeb(t, {
    files: { 'manifest.ts': registry + job('plain', shape) + job('free', 'undefined') },
  })
  const Cookie = await signIn()
  const run = (id: string, body: unknown) =>
    postJson(app, `/api/jobs/${id}/run`, body, { Cookie, Prefer: 'wait=60' })
  const ran = async (id: string, body: unknown) =>
    (await (await run(id, body)).json()) as Record<string, unknown>

  const alone = await ran('plain', {})
  assert.deepEqual([alone.result, alone.params], [defaults, defaults])
  const given = { name: 'Grace', count: 5, kind: 'large', day: '2026-02-28', dry: true, more: { a: [1] } }
  assert.deepEqual((await ran('plain', { params: given })).result, given)
  assert.deepEqual((await ran('free', { params: { any: 1 } })).result, { any: 1 }, 'a job may take anything')

  const before = instance.engine.runs({ limit: 1, offset: 0 }).total
  for (const [params, errors] of [
    [{ count: 'three' }, [{ path: 'params.count', message: 'must be a whole number' }]],
    [{ count: 1.5 }, [{ path: 'params.count', message: 'must be a whole number' }]],
    [{ count: 9 }, [{ path: 'params.count', message: 'must be at most 5' }]],
    [{ name: 'x' }, [{ path: 'params.name', message: 'must have at least 2 characters' }]],
    [{ kind: 'huge' }, [{ path: 'params.kind', message: "must be one of 'small', 'large'" }]],
    [{ day: '2026-02-30' }, [{ path: 'params.day', message: 'must be a date such as 2026-01-31' }]],
    [
      { dry: 'yes', cuont: 3 },
      [
        { path: 'params.dry', message: 'must be true or false' },
        {
          path: 'params.cuont',
          message: 'is no parameter here; there is "name", "count", "kind", "day", "dry", "more"',
        },
      ],
    ],
  ] as const) {
    const refused = await run('plain', { params })
    assert.equal(refused.status, 422)
    assert.deepEqual(((await refused.json()) as { errors: unknown }).errors, errors)
  }
  assert.equal(instance.engine.runs({ limit: 1, offset: 0 }).total, before, 'nothing ran')
})

test('parameters of a zod schema are checked before the run and parsed in it, without installing zod', async t => {
  const { app, signIn, instance } = await startWeb(t, {
    files: {
      'manifest.ts': `${registry}import { z } from 'zod'
${job('zod', zod, '({ params }) => ({ ...params, isDate: params.since instanceof Date })')}`,
    },
  })
  const Cookie = await signIn()
  const run = (params: unknown) =>
    postJson(app, '/api/jobs/zod/run', { params }, { Cookie, Prefer: 'wait=60' })

  const alone = (await (await run({})).json()) as Record<string, unknown>
  assert.deepEqual(alone.result, { since: '2026-01-01T00:00:00.000Z', count: 3, isDate: true })
  assert.deepEqual(alone.params, {}, 'the schema itself fills in what was not given')
  const given = (await (await run({ since: '2026-05-05', count: 2 })).json()) as Record<string, unknown>
  assert.deepEqual(given.result, { since: '2026-05-05T00:00:00.000Z', count: 2, isDate: true })

  for (const [params, path, message] of [
    [{ count: 0 }, 'params.count', /at least 1/],
    [{ since: 'yesterday' }, 'params.since', /must be a date/],
    [{ other: 1 }, 'params.other', /no parameter/],
  ] as const) {
    const refused = await run(params)
    assert.equal(refused.status, 422)
    const { errors } = (await refused.json()) as { errors: { path: string; message: string }[] }
    assert.equal(errors[0]?.path, path)
    assert.match(errors[0]?.message ?? '', message)
  }
  const late = (await (await run({ count: 4 })).json()) as { status: string; error: { message: string } }
  assert.equal(late.status, 'failed')
  assert.equal(late.error.message, 'invalid parameters: count: must not be four')
  assert.equal(instance.engine.job('zod')?.source?.line, 3)
})

test('a standard schema without JSON Schema is checked in the run', async t => {
  const standard = `{ '~standard': { version: 1, vendor: 'own', validate: value =>
    typeof value.n === 'number' ? { value: { n: value.n + 1 } } : { issues: [{ message: 'must be a number', path: ['n'] }] } } }`
  const { run } = await startInstance(t, { files: { 'manifest.ts': registry + job('own', standard) } })
  assert.deepEqual((await run('own', { n: 1 })).result, { n: 2 })
  const { status, error } = await run('own', {})
  assert.deepEqual([status, error?.message], ['failed', 'invalid parameters: n: must be a number'])
})

test('scheduled runs and their retries get the defaults', async t => {
  const clock = standingClock(Date.UTC(2026, 10, 22, 7, 59))
  const fails = '({ params }) => { throw new Error(JSON.stringify(params)) }'
  const { engine } = await startInstance(t, {
    clock,
    files: { 'manifest.ts': registry + job('plain', shape, fails, "retry: { attempts: 2, delay: '1s' }") },
  })
  clock.at = Date.UTC(2026, 10, 22, 8)
  engine.tick(clock.at)
  const runs = await until(() => {
    clock.at += 2000
    engine.tick(clock.at)
    const { runs } = engine.runs({ jobId: 'plain', limit: 5, offset: 0 })
    return runs.length === 2 && runs.every(run => run.finishedAt) ? runs : null
  }, 'both attempts have ended')
  for (const run of runs) {
    assert.deepEqual([run.params, run.error?.message], [defaults, JSON.stringify(defaults)])
  }
})

test('invalid params are reported with file and line', async t => {
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': registry } })
  const known = "'string', 'text', 'number', 'integer', 'boolean', 'date', 'json', or a list of values"
  for (const [params, words] of [
    ["{ name: 'string' }", 'params name needs a default, or must be optional: its schedule gives it nothing'],
    [
      'z.object({ name: z.string() })',
      'params name needs a default, or must be optional: its schedule gives it nothing',
    ],
    ["'string'", "params must be a zod schema of an object, or a plain shape such as { name: 'string' }"],
    ['() => 1', "params must be a zod schema of an object, or a plain shape such as { name: 'string' }"],
    ['z.string()', 'params must be the schema of an object'],
    ["{ name: 'strnig' }", `params name type must be one of ${known}`],
    ['{ name: { default: 1 } }', `params name type is missing; it must be one of ${known}`],
    ["{ n: { type: 'number', default: 'x' } }", 'params n default must be a number'],
    ["{ n: { type: 'number', max: 3, default: 4 } }", 'params n default must be at most 3'],
    ["{ n: { type: 'number', min: 'x', default: 4 } }", 'params n min must be a number'],
    [
      "{ n: { type: 'number', defualt: 4 } }",
      'params n defualt is no option of number; there is type, default, optional, description, min, max',
    ],
    [
      "{ n: { type: 'boolean', min: 4, optional: true } }",
      'params n min is no option of boolean; there is type, default, optional, description',
    ],
    ["{ k: ['a', 'a'] }", 'params k must list from 1 to 200 different texts or numbers'],
    [
      "{ 'a b': { type: 'string', optional: true } }",
      'params a b is no name for a parameter: use letters, digits and _',
    ],
  ] as const) {
    write('manifest.ts', `${registry}import { z } from 'zod'\nvoid z\n${job('wrong', params)}`)
    const error = await until(
      () => engine.manifest().errors.find(({ message }) => message === `job "wrong": ${words}`),
      `it is told: ${words}; told is ${JSON.stringify(engine.manifest().errors)}`,
    )
    assert.deepEqual([error.file, error.line], ['manifest.ts', 4])
  }
})

test('parameters that no page could show are refused, and the list of runs stays complete', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const Cookie = await signIn()
  const send = (params: string) =>
    app.request('/api/jobs/job/run', { method: 'POST', headers: { Cookie }, body: `{"params":${params}}` })
  const deep = await send(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)
  assert.deepEqual(
    [deep.status, ((await deep.json()) as { detail: string }).detail],
    [400, 'The body is nested more than 100 deep.'],
  )
  const large = await send(`{"a":"${'x'.repeat(64 * 1024)}"}`)
  assert.equal(large.status, 422)
  assert.match(await large.text(), /params: must be at most 64 KiB as JSON, and have 65544 bytes/)
  const typed = { 'param.params': `{"a":${'['.repeat(15_000)}${']'.repeat(15_000)}}` }
  const form = await postForm(app, '/jobs/job/run', typed, { Cookie })
  assert.equal(form.status, 422)
  assert.match(await form.text(), /nested at most 100 deep/)
  const fine = await send(`{"a":${'['.repeat(90)}${']'.repeat(90)}}`)
  assert.equal(fine.status, 202)
  const { id } = (await fine.json()) as { id: string }
  await instance.ended(id)
  const page = await app.request(`/runs/${id}`, { headers: { ...browser, Cookie } })
  assert.equal(page.status, 200)
})

test('a number parameter must be one that JSON can represent', async () => {
  assert.deepEqual(paramFaults({ type: 'number' }, JSON.parse('1e999')), [
    { path: '', message: 'must be a number' },
  ])
  assert.deepEqual(paramFaults({ type: 'number' }, JSON.parse('1e300')), [])
})

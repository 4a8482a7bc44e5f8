import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { appForTest } from '../testing/app.ts'
import { open, route } from './route.ts'

const post = (path: string, body: z.ZodType) =>
  route({
    method: 'post',
    path,
    summary: 'Says what it got',
    guard: open,
    body,
    answers: {},
    handle: (c, { body }) => c.json(body),
  })
const named = z.object({ size: z.coerce.number().optional(), note: z.string().optional() })
const bodiless = { method: 'post', summary: 'Takes nothing', guard: open, answers: {} } as const
const app = appForTest([
  route({ ...bodiless, path: '/bare', handle: c => c.json({}) }),
  route({ ...bodiless, path: '/raw', rawBody: true, handle: c => c.json({}) }),
  post('/named', named),
  post('/none', z.object({})),
  post(
    '/piped',
    z.preprocess(value => value, named),
  ),
  post(
    '/refined',
    named.refine(() => true),
  ),
  post('/any', z.record(z.string(), z.unknown())),
  post('/loose', z.looseObject({ size: z.number() })),
  post('/strict', z.strictObject({ size: z.number() })),
])

async function ask(path: string, body: string): Promise<[status: number, errors: unknown]> {
  const answer = await app.request(path, { method: 'POST', body })
  const { errors } = (await answer.json()) as { errors?: unknown }
  return [answer.status, errors]
}

test('JSON with an unknown field is refused, and the field named', async () => {
  for (const path of ['/named', '/piped', '/refined']) {
    assert.deepEqual(await ask(path, '{"size":1,"nota":"x"}'), [
      422,
      [{ path: 'nota', message: 'is not a field here; there is "size", "note"' }],
    ])
    assert.deepEqual(await ask(path, '{"size":1,"note":"x"}'), [200, undefined])
  }
  assert.deepEqual(await ask('/none', '{"__proto__":1}'), [
    422,
    [{ path: '__proto__', message: 'is not a field here; none is taken' }],
  ])
  assert.deepEqual(await ask('/none', '{}'), [200, undefined])
  assert.deepEqual(await ask('/strict', '{"size":1,"a":2}'), [
    422,
    [{ path: 'a', message: 'is not a field here; remove it' }],
  ])
})

test('a form with an unknown field is refused too, the name of its button included', async () => {
  assert.deepEqual(await ask('/named', 'size=1&button=Save'), [
    422,
    [{ path: 'button', message: 'is not a field here; there is "size", "note"' }],
  ])
  assert.deepEqual(await ask('/none', 'a=1&a=2'), [
    422,
    [{ path: 'a', message: 'is not a field here; none is taken' }],
  ])
  assert.deepEqual(await ask('/named', 'size=1&note=x'), [200, undefined])
  assert.deepEqual(await ask('/none', ''), [200, undefined])
})

test('a route without fields refuses every field, unless it reads the body itself', async () => {
  assert.deepEqual(await ask('/bare', 'a=1'), [
    422,
    [{ path: 'a', message: 'is not a field here; none is taken' }],
  ])
  assert.equal((await ask('/bare', ''))[0], 200)
  assert.equal((await ask('/raw', 'a=1'))[0], 200)
})

test('a route that accepts any name accepts unknown fields', async () => {
  assert.deepEqual(await ask('/any', '{"a":1}'), [200, undefined])
  assert.deepEqual(await ask('/loose', '{"size":1,"a":1}'), [200, undefined])
})

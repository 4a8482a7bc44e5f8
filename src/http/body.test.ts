import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { appForTest } from '../testing/app.ts'
import { open, route } from './route.ts'

const limitBytes = 64
const app = appForTest([
  route({
    method: 'post',
    path: '/echo',
    summary: 'Says what it got',
    guard: open,
    limitBytes,
    body: z.record(z.string(), z.unknown()),
    answers: {},
    handle: (c, { body }) => c.json(body),
  }),
])

type Body = NonNullable<RequestInit['body']> | null
const form = 'application/x-www-form-urlencoded'
const post = (body: Body, type?: string, headers: Record<string, string> = {}) =>
  app.request('/echo', {
    method: 'POST',
    body,
    headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...headers },
  })

async function accepted(body: Body, type?: string): Promise<unknown> {
  const response = await post(body, type)
  assert.equal(response.status, 200, `${body}: ${await response.clone().text()}`)
  return response.json()
}

async function refused(status: number, body: Body, type?: string): Promise<string> {
  const response = await post(body, type)
  assert.equal(response.status, status, `${body}`)
  return ((await response.json()) as { detail: string }).detail
}

test('a body that starts with { is JSON whatever its type', async () => {
  for (const type of [form, 'text/plain', 'application/octet-stream', 'application/json', undefined]) {
    assert.deepEqual(await accepted('{"a":1}', type), { a: 1 }, String(type))
  }
  assert.deepEqual(await accepted(' \r\n\t{"a":1}', form), { a: 1 })
  assert.deepEqual(await accepted('\uFEFF{"a":1}', form), { a: 1 }, 'a byte order mark')
})

test('any other body is parsed by its type', async () => {
  assert.deepEqual(await accepted('a=1&b=x+y%20z&a%5B%5D=', form), { a: '1', b: 'x y z', 'a[]': '' })
  assert.deepEqual(await accepted('a=1&a=2&a=3&b=', `${form}; charset=utf-8`), { a: ['1', '2', '3'], b: '' })
  assert.deepEqual(await accepted('a=%7B%7D'), { a: '{}' })
  assert.match(await refused(415, '--x\r\n', 'multipart/form-data; boundary=x'), /multipart\/form-data/)
  assert.match(await refused(415, '<a/>', 'application/xml'), /send JSON or a form/)
})

test('an empty body has no fields', async () => {
  for (const type of [form, 'application/json', 'image/png', undefined]) {
    assert.deepEqual(await accepted(null, type), {})
    assert.deepEqual(await accepted('', type), {})
  }
})

test('a body that is not an object is refused with a reason', async () => {
  for (const text of ['[1]', '"x"', '1', 'null', 'true']) {
    assert.match(await refused(400, text, 'application/json'), /must be a JSON object/)
  }
  for (const text of ['{"a":1', '{a:1}', "{'a':1}", '{"a":1}}', '{']) {
    assert.match(await refused(400, text, form), /not valid JSON/)
  }
  assert.match(await refused(400, new Uint8Array([0x7b, 0xff, 0x7d]), form), /not valid UTF-8/)
})

test('names with a meaning in JavaScript are plain field names', async () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
    const expected = name === '__proto__' ? {} : { [name]: 'x' }
    assert.deepEqual(await accepted(`${name}=x`, form), expected)
    assert.deepEqual(await accepted(`{"${name}":"x"}`), expected)
  }
  assert.deepEqual(await accepted('__proto__=x&__proto__=y&a=1', form), { a: '1' })
  assert.deepEqual(await accepted('{"__proto__":{"admin":true},"a":1}'), { a: 1 })
  assert.equal(({} as Record<string, unknown>).admin, undefined)
})

test('a body may be as long as the limit and not a byte longer, whatever length it announces', async () => {
  const fits = `a=${'x'.repeat(limitBytes - 2)}`
  assert.equal((await post(fits, form)).status, 200)
  assert.match(await refused(413, `${fits}x`, form), /at most 64 bytes/)
  assert.equal((await post(`${fits}x`, form, { 'Content-Length': '10' })).status, 413)
  assert.equal((await post('a=1', form, { 'Content-Length': '65' })).status, 413)
})

test('an endless body is refused after a bounded part of it', async () => {
  let given = 0
  const chunk = new Uint8Array(64 * 1024)
  const endless = new ReadableStream({
    pull: controller => {
      given += chunk.length
      controller.enqueue(chunk)
    },
  })
  const request = { method: 'POST', body: endless, duplex: 'half' } as RequestInit
  assert.equal((await app.request('/echo', request)).status, 413)
  assert.ok(given < 5 * 1024 * 1024, `${given} bytes were read`)
})

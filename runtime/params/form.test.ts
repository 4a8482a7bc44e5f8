import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry } from '../engine.fixture.ts'
import { browser, postForm, startWeb } from '../web/web.fixture.ts'

const manifest = `${registry}import { z } from 'zod'
jobRegistry.register({ id: 'plain', cron: '@daily', func: ({ params }) => params, params: {
  name: { type: 'string', default: 'Ada', min: 2, description: 'Whom to <greet>' },
  count: { type: 'integer', default: 3, min: 1, max: 5 },
  kind: { type: ['small', 'large'], default: 'small' },
  day: { type: 'date', optional: true },
  dry: { type: 'boolean', default: true },
  words: { type: 'text', optional: true },
  more: { type: 'json', optional: true },
} })
jobRegistry.register({ id: 'zod', cron: '@daily', func: ({ params }) => params, params: z.object({
  mail: z.email().optional(), size: z.number().nullable().default(null), either: z.union([z.string(), z.number()]).optional(),
  list: z.array(z.string()).optional(), on: z.boolean().optional(),
}) })
jobRegistry.register({ id: 'free', cron: '@daily', func: ({ params }) => params })
`

test('a job’s form has its parameters, sends their values, and keeps invalid input', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': manifest } })
  const Cookie = await signIn()
  const page = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const send = (id: string, fields: Record<string, string>) =>
    postForm(app, `/jobs/${id}/run`, fields, { Cookie })
  const result = async (id: string, fields: Record<string, string>) => {
    const sent = await send(id, fields)
    assert.equal(sent.status, 303, await sent.clone().text())
    const run = (sent.headers.get('location') ?? '').split('/').at(-1) ?? ''
    return (await instance.ended(run)).result
  }

  assert.match(await page('/jobs/plain'), /href="\/jobs\/plain\/run"/)
  assert.ok(!(await page('/jobs/free')).includes('href="/jobs/free/run"'))
  const form = await page('/jobs/plain/run')
  assert.match(form, /<input[^>]*name="param\.name"[^>]*value="Ada"/)
  assert.match(form, /Whom to &lt;greet&gt;/)
  assert.match(form, /<input[^>]*name="param\.count"[^>]*type="number"[^>]*value="3"[^>]*min="1"[^>]*max="5"/)
  assert.match(form, /<select[^>]*name="param\.kind"/)
  assert.match(form, /<input[^>]*name="param\.day"[^>]*type="date"/)
  assert.match(form, /<input[^>]*name="param\.dry"[^>]*type="checkbox"[^>]*checked/)
  assert.match(form, /<textarea[^>]*name="param\.words"/)

  const sent = { 'param.name': 'Grace', 'param.count': '5', 'param.kind': 'large', 'param.day': '2026-02-28' }
  assert.deepEqual(
    await result('plain', { ...sent, 'param.words': 'one\r\ntwo', 'param.more': '{"a": [1]}' }),
    {
      name: 'Grace',
      count: 5,
      kind: 'large',
      dry: false,
      day: '2026-02-28',
      words: 'one\ntwo',
      more: { a: [1] },
    },
  )
  const left = { 'param.name': 'Ada', 'param.count': '', 'param.dry': 'on', 'param.day': '' }
  assert.deepEqual(await result('plain', left), { name: 'Ada', count: 3, kind: 'small', dry: true })

  const before = instance.engine.runs({ limit: 1, offset: 0 }).total
  const refused = await send('plain', { ...sent, 'param.count': '9', 'param.more': '{', 'param.name': '<b>' })
  assert.equal(refused.status, 422)
  const again = await refused.text()
  assert.match(again, /The job was not started/)
  assert.match(again, /id="param-more-error">[\s\S]*Must be JSON/)
  assert.match(again, /name="param\.name"[^>]*value="&lt;b&gt;"/)
  const both = await (await send('plain', { ...sent, 'param.count': '9', 'param.name': 'x' })).text()
  assert.match(both, /id="param-count-error">[\s\S]*Must be at most 5/)
  assert.match(both, /id="param-name-error">[\s\S]*Must have at least 2 characters/)
  assert.match(both, /<option value="large" selected/)
  assert.equal(instance.engine.runs({ limit: 1, offset: 0 }).total, before, 'nothing ran')

  assert.deepEqual(
    await result('zod', {
      'param.mail': 'a@b.de',
      'param.size': '2.5',
      'param.either': 'some text',
      'param.list': '["x"]',
      'param.on': 'on',
    }),
    { mail: 'a@b.de', size: 2.5, either: 'some text', list: ['x'], on: true },
  )
  assert.deepEqual(await result('zod', { 'param.either': '7' }), { size: null, either: 7 })
  assert.match(await (await send('zod', { 'param.mail': 'nobody' })).text(), /Must be an address/)

  assert.deepEqual(await result('free', { 'param.params': '{"any": true}' }), { any: true })
  assert.deepEqual(await result('free', {}), {})
  assert.match(await (await send('free', { 'param.params': '[1]' })).text(), /Must be an object/)

  const stranger = await postForm(app, '/jobs/free/run', {})
  assert.equal(stranger.headers.get('location')?.startsWith('/login'), true)
  const gone = await app.request('/jobs/nobody/run', { headers: { ...browser, Cookie } })
  assert.equal(gone.status, 404)
})

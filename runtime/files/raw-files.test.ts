import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeServer, openServer } from '../../src/http/listener/server.ts'
import { oneJob } from '../engine.fixture.ts'
import { createInstanceServer } from '../web/server.ts'
import { browser, startWeb } from '../web/web.fixture.ts'

const files = { 'manifest.ts': oneJob("() => 'first'"), '.gitignore': 'data/\n' }
const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254, 10, 13, 1, 2, 3])

async function start(t: Parameters<typeof startWeb>[0]) {
  const { app, instance, signIn } = await startWeb(t, { files })
  const Cookie = await signIn()
  const data = (name: string) => instance.path(`data/${name}`)
  mkdirSync(data('out/deep'), { recursive: true })
  writeFileSync(data('chart.png'), bytes)
  writeFileSync(data('page.html'), '<script>alert(1)</script>')
  writeFileSync(data('code.js'), 'alert(1)')
  writeFileSync(data('blob'), bytes)
  writeFileSync(data('empty.bin'), '')
  const ask = (path: string, init: RequestInit = {}) =>
    app.request(path, { ...init, headers: { Cookie, ...(init.headers as Record<string, string>) } })
  const raw = (path: string, init: RequestInit = {}) => ask(`/api/jobs/repo/files/${path}`, init)
  return { app, instance, data, ask, raw, Cookie }
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer())

test('any file is served unchanged, also in ranges', async t => {
  const { raw, data } = await start(t)
  const whole = await raw('data/chart.png?raw')
  assert.deepEqual(await bytesOf(whole), bytes)
  assert.equal(whole.headers.get('content-type'), 'image/png')
  assert.equal(whole.headers.get('content-length'), '12')
  assert.match(whole.headers.get('content-disposition') ?? '', /^inline; filename\*=UTF-8''chart\.png$/)
  const kept = await raw('data/chart.png?raw=true&download')
  assert.match(kept.headers.get('content-disposition') ?? '', /^attachment;/)
  assert.deepEqual(await bytesOf(kept), bytes)
  const head = await raw('data/chart.png?raw', { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '12', ''])
  assert.deepEqual(await bytesOf(await raw('data/empty.bin?raw')), Buffer.alloc(0))

  for (const [range, from, to] of [
    ['bytes=0-3', 0, 4],
    ['bytes=4-', 4, 12],
    ['bytes=-5', 7, 12],
    ['bytes=10-99', 10, 12],
    ['bytes=-99', 0, 12],
  ] as const) {
    const part = await raw('data/chart.png?raw', { headers: { Range: range } })
    assert.equal(part.status, 206, range)
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/12`)
    assert.deepEqual(await bytesOf(part), bytes.subarray(from, to))
  }
  for (const range of ['bytes=12-', 'bytes=-0', 'bytes=99-100']) {
    const none = await raw('data/chart.png?raw', { headers: { Range: range } })
    assert.deepEqual([none.status, none.headers.get('content-range')], [416, 'bytes */12'], range)
  }
  for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=5-2', 'bytes=-']) {
    const all = await raw('data/chart.png?raw', { headers: { Range: range } })
    assert.deepEqual([all.status, (await bytesOf(all)).length], [200, 12], range)
  }
  const tag = whole.headers.get('etag') ?? ''
  assert.equal((await raw('data/chart.png?raw', { headers: { 'If-None-Match': tag } })).status, 304)
  const since = { Range: 'bytes=0-3', 'If-Range': tag }
  assert.equal((await raw('data/chart.png?raw', { headers: since })).status, 206)
  writeFileSync(data('chart.png'), Buffer.concat([bytes, bytes]))
  assert.equal((await raw('data/chart.png?raw', { headers: since })).status, 200)

  const asText = await raw('data/blob')
  assert.equal(asText.status, 415)
  assert.match(((await asText.json()) as { detail: string }).detail, /Use \?raw/)
})

test('a served file never runs as a page or a script of the instance', async t => {
  const { raw, data } = await start(t)
  for (const name of ['sound.wav', 'film.webm']) writeFileSync(data(name), bytes)
  for (const [path, type] of [
    ['data/page.html', 'text/plain; charset=utf-8'],
    ['data/code.js', 'text/plain; charset=utf-8'],
    ['data/blob', 'application/octet-stream'],
    ['data/nowhere.svg', 'application/problem+json'],
  ] as const) {
    const answer = await raw(`${path}?raw`)
    assert.equal(answer.headers.get('content-type'), type, path)
    const policy = answer.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none';.*; sandbox$/)
    assert.doesNotMatch(policy, /script-src|allow-/)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin')
  }
  // The browser plays these in a page of its own, which loads the address again, from this origin and without scripts.
  for (const path of ['data/sound.wav', 'data/film.webm']) {
    const policy = (await raw(`${path}?raw`)).headers.get('content-security-policy') ?? ''
    assert.match(
      policy,
      /^default-src 'none'; media-src 'self'; img-src data:;.*; sandbox allow-same-origin$/,
    )
    assert.doesNotMatch(policy, /script-src|allow-scripts/)
  }
  const blob = await raw('data/blob?raw')
  assert.match(blob.headers.get('content-disposition') ?? '', /^attachment/)
})

test('protected paths are refused for reading, listing and uploading', async t => {
  const { raw, ask, instance, data, app } = await start(t)
  symlinkSync(instance.dir, data('up'))
  symlinkSync(join(instance.dir, 'longhouse.db'), data('db'))
  symlinkSync('/proc/self', data('self'))
  for (const path of [
    '.git%2fconfig',
    'data%2f..%2f.git%2fHEAD',
    '..%2flonghouse.db',
    'data%2f..%2f..%2fsecret.key',
    '%2fetc%2fpasswd',
    'data/up/longhouse.db',
    'data/up%2fsecret.key',
    'data/db',
    'data/self/environ',
    'node_modules%2fx',
  ]) {
    for (const [method, query] of [
      ['GET', '?raw'],
      ['GET', ''],
      ['POST', '?replace=true'],
    ]) {
      const answer = await raw(`${path}${query}`, {
        method: method as string,
        ...(method === 'POST' && { body: 'x' }),
      })
      assert.ok([404, 415, 422].includes(answer.status), `${method} ${path}: ${answer.status}`)
      assert.doesNotMatch(await answer.text(), /SQLite|repositoryformat/)
    }
  }
  for (const path of [
    '.git',
    '..',
    'data%2f..%2f.git',
    'data/up',
    'data/self',
    'node_modules',
    'data/nope',
  ]) {
    assert.ok([404, 422].includes((await ask(`/api/jobs/repo/folders/${path}`)).status), path)
  }
  const stranger = await app.request('/api/jobs/repo/files/data/chart.png?raw')
  assert.equal(stranger.status, 401)
  const upload = await app.request('/api/jobs/repo/files/data/x?replace=true', { method: 'POST', body: 'x' })
  assert.equal(upload.status, 401)
  assert.equal(existsSync(data('x')), false)
})

test('an upload is stored completely or not at all, and replaces a file only on request', async t => {
  const { raw, data, instance } = await start(t)
  const put = (path: string, body: Uint8Array<ArrayBuffer> | string | null) =>
    raw(path, { method: 'POST', body })
  const saved = await put('data/in/new.bin', bytes)
  assert.deepEqual([saved.status, ((await saved.json()) as { path: string }).path], [200, 'data/in/new.bin'])
  assert.deepEqual(readFileSync(data('in/new.bin')), bytes)
  const again = await put('data/in/new.bin', 'other')
  assert.equal(again.status, 409)
  assert.deepEqual(readFileSync(data('in/new.bin')), bytes)
  assert.equal((await put('data/in/new.bin?replace=true', 'other')).status, 200)
  assert.equal(readFileSync(data('in/new.bin'), 'utf8'), 'other')
  assert.equal((await put('data/none', null)).status, 200)
  assert.equal(readFileSync(data('none'), 'utf8'), '')
  assert.equal((await put('data/in?replace=true', 'x')).status, 422)
  assert.equal((await put('data/y?replace=maybe', 'x')).status, 422)
  const large = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 51; i++) controller.enqueue(new Uint8Array(1024 * 1024))
      controller.close()
    },
  })
  const refused = await raw('data/large', { method: 'POST', body: large, duplex: 'half' } as RequestInit)
  assert.equal(refused.status, 413)
  assert.match(((await refused.json()) as { detail: string }).detail, /at most 50 MiB/)
  assert.equal(existsSync(data('large')), false)
  assert.deepEqual(
    readdirSync(instance.dir).filter(name => name.startsWith('.save')),
    [],
  )
})

test('the API lists folders', async t => {
  const { ask, data } = await start(t)
  const list = async (path: string) => {
    const answer = (await (await ask(`/api/jobs/repo/folders${path}`)).json()) as {
      entries: { path: string; kind: string; size_bytes: number }[]
    }
    return answer.entries.map(({ path, kind }) => `${kind} ${path}`)
  }
  assert.deepEqual(await list(''), ['folder data', 'file .gitignore', 'file manifest.ts'])
  symlinkSync('/etc/passwd', data('link'))
  assert.deepEqual(await list('/data'), [
    'folder data/out',
    'file data/blob',
    'file data/chart.png',
    'file data/code.js',
    'file data/empty.bin',
    'link data/link',
    'file data/page.html',
  ])
  assert.deepEqual(await list('/data/out'), ['folder data/out/deep'])
})

test('the pages show folders and binary files, and upload without JavaScript', async t => {
  const { app, ask, data, Cookie } = await start(t)
  const page = async (path: string) => (await ask(path, { headers: browser })).text()
  assert.match(
    await page('/repo/files'),
    /href="\/repo\/files\?folder=data"[\s\S]*href="\/repo\/files\/manifest\.ts"/,
  )
  const folder = await page('/repo/files?folder=data')
  assert.match(folder, /href="\/repo\/files\?folder=data%2Fout"/)
  assert.match(folder, /href="\/repo\/files\/data\/chart\.png"/)
  const chart = await page('/repo/files/data/chart.png')
  assert.match(chart, /<img class="preview" src="\/api\/jobs\/repo\/files\/data\/chart\.png\?raw"/)
  assert.match(chart, /href="\/api\/jobs\/repo\/files\/data\/chart\.png\?raw&amp;download"/)
  assert.doesNotMatch(chart, /<textarea/)

  const send = (name: string, content: string | Uint8Array<ArrayBuffer>, fields: Record<string, string>) => {
    const form = new FormData()
    for (const [field, value] of Object.entries(fields)) form.set(field, value)
    form.set('file', new File([content], name))
    return app.request('/repo/upload', { method: 'POST', body: form, headers: { ...browser, Cookie } })
  }
  const sent = await send('in.bin', bytes, { folder: 'data/' })
  assert.equal(sent.status, 303)
  assert.match(await page(sent.headers.get('location') ?? ''), /Uploaded data\/in\.bin/)
  assert.deepEqual(readFileSync(data('in.bin')), bytes)
  assert.equal((await send('in.bin', 'x', { folder: 'data' })).status, 409)
  assert.equal((await send('in.bin', 'x', { folder: 'data', replace: 'true' })).status, 303)
  assert.equal((await send('../../x', 'x', { folder: 'data' })).status, 422)
  assert.equal((await send('', 'x', { folder: 'data' })).status, 422)
  const gone = await app.request('/repo/files/data/in.bin', {
    method: 'POST',
    body: new URLSearchParams({ action: 'delete', hash: '' }),
    headers: { ...browser, Cookie },
  })
  assert.equal(gone.status, 303)
  assert.equal(existsSync(data('in.bin')), false)
})

test('an upload that is too large does not break the next request on the same connection', async t => {
  const { app, signIn } = await startWeb(t, { files })
  const cookie = await signIn()
  const server = createInstanceServer(app, 'inst_test')
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server, { graceMs: 0 }))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const post = (path: string, headers: Record<string, string>, body: Buffer) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path,
        agent,
        headers: { Cookie: cookie, ...headers },
      })
      asked.on('response', response => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      asked.on('error', reject)
      asked.end(body)
    })
  const tooLarge = Buffer.alloc(51 * 1024 * 1024)
  const announced = { 'Content-Length': String(tooLarge.length) }
  for (const headers of [announced, { 'Transfer-Encoding': 'chunked' }]) {
    assert.equal(await post('/api/jobs/repo/files/data/big', headers, tooLarge), 413)
    assert.equal(await post('/api/jobs/repo/check', {}, Buffer.from('{"path":"a.ts","content":""}')), 200)
  }
})

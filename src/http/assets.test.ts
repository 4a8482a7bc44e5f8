import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { appForTest } from '../testing/app.ts'
import { temporaryFolder } from '../testing/folder.ts'
import { loadAssets } from './assets.ts'

const css = 'body { color: black }'

test('assets are addressed by content, in an encoding that the client accepts', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'index.json'), '{"style.css":"style-abc.css","icon.svg":"icon-def.svg"}')
  writeFileSync(join(folder, 'style-abc.css'), css)
  writeFileSync(join(folder, 'style-abc.css.br'), brotliCompressSync(css))
  writeFileSync(join(folder, 'style-abc.css.gz'), gzipSync(css))
  writeFileSync(join(folder, 'icon-def.svg'), '<svg/>')
  const assets = loadAssets(folder)
  const app = appForTest([])
  assets.mount(app)

  const url = assets.url('style.css')
  assert.equal(url, '/assets/style-abc.css')
  assert.throws(() => assets.url('style2.css'), /no asset is called style2\.css/)

  const plain = (bytes: Buffer) => bytes
  const cases: [accepts: string | undefined, coding: string | null, decode: (bytes: Buffer) => Buffer][] = [
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
    ['GZIP;q=0.5', 'gzip', gunzipSync],
    ['br;q=0.0, gzip; q=0', null, plain],
    ['identity', null, plain],
    ['abra', null, plain],
    [undefined, null, plain],
  ]
  for (const [accepts, coding, decode] of cases) {
    const response = await app.request(url, { headers: accepts ? { 'Accept-Encoding': accepts } : {} })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-encoding'), coding, String(accepts))
    assert.equal(decode(Buffer.from(await response.arrayBuffer())).toString(), css)
    assert.equal(response.headers.get('content-type'), 'text/css; charset=utf-8')
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.match(response.headers.get('vary') ?? '', /Accept-Encoding/)
  }

  const icon = await app.request(assets.url('icon.svg'), { headers: { 'Accept-Encoding': 'br' } })
  assert.equal(icon.headers.get('content-encoding'), null)
  assert.equal(icon.headers.get('content-type'), 'image/svg+xml')

  for (const path of [
    'style-old.css',
    'style.css',
    'index.json',
    '__proto__',
    '..%2findex.json',
    'style-abc.css.br',
  ]) {
    const missing = await app.request(`/assets/${path}`)
    assert.equal(missing.status, 404, path)
    assert.equal(missing.headers.get('cache-control'), null)
  }
  assert.equal((await app.request(url, { method: 'POST' })).status, 405)
})

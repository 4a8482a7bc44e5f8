import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { openDownloadCache } from './download-cache.ts'
import { startRegistry } from './registry.fixture.ts'

const mebibyte = 1024 * 1024
const day = 24 * 60 * 60_000

test('downloads that were not used for long go first, and those that are too old go in any case', async t => {
  const dir = temporaryFolder(t)
  const now = Date.UTC(2026, 10, 29)
  const put = (name: string, age: number) => {
    const hash = Buffer.from(name.padEnd(64, '-'))
    const hex = hash.toString('hex')
    const content = join(dir, '_cacache/content-v2/sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
    const index = join(dir, '_cacache/index-v5', name)
    for (const file of [content, index]) mkdirSync(dirname(file), { recursive: true })
    writeFileSync(content, randomBytes(mebibyte))
    writeFileSync(index, `\n0\t{"key":"${name}","integrity":"sha512-${hash.toString('base64')}","time":1}`)
    for (const file of [content, index]) utimesSync(file, (now - age) / 1000, (now - age) / 1000)
    return () => [existsSync(index), existsSync(content)]
  }
  const old = put('old', 31 * day)
  const unused = put('unused', 20 * day)
  const recent = put('recent', 5 * day)
  const fresh = put('fresh', 1)
  const stray = join(dir, '_cacache/content-v2/sha512/aa/bb/cc')
  mkdirSync(dirname(stray), { recursive: true })
  writeFileSync(stray, 'named by no index')
  mkdirSync(join(dir, '_cacache/tmp'))
  writeFileSync(join(dir, '_cacache/tmp/half'), 'left by a kill')

  const cache = openDownloadCache(dir, { cacheBytes: 2.5 * mebibyte, cacheMs: 30 * day })
  await cache.prune(now)
  const both = [true, true]
  const neither = [false, false]
  assert.deepEqual([old(), unused(), recent(), fresh()], [neither, neither, both, both])
  assert.equal(existsSync(stray), false)
  assert.equal(existsSync(join(dir, '_cacache/tmp/half')), false)
  assert.ok(cache.bytes() >= 2 * mebibyte && cache.bytes() <= 2.5 * mebibyte)
  await cache.prune(now + 29 * day)
  assert.deepEqual([recent(), fresh()], [neither, both])
  await cache.clear()
  assert.equal(cache.bytes(), 0)
  await openDownloadCache(join(dir, 'none'), { cacheBytes: 1, cacheMs: 1 }).prune(now)
})

test('npm installs from what is left of its cache, and fetches the rest again', async t => {
  const registry = await startRegistry(t)
  const noise = () => `export const text = '${randomBytes(mebibyte).toString('hex')}'`
  for (const name of ['first', 'second']) registry.publish(name, '1.0.0', { 'index.js': noise() })
  const clock = setClock(Date.now())
  const asks = (...names: string[]) =>
    JSON.stringify({ type: 'module', dependencies: Object.fromEntries(names.map(name => [name, '1.0.0'])) })
  const { engine, write, dir } = await startInstance(t, {
    // A quarter of it is for downloads, and one package takes that.
    install: { bytes: 8 * mebibyte },
    clock,
    files: {
      'manifest.ts': oneJob('() => 1'),
      '.npmrc': `registry=${registry.url}/\n`,
      'package.json': asks('first'),
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  write('package.json', asks('second'))
  await until(
    () => engine.packages().status === 'installed' && engine.manifest().status === 'ok',
    'it is live',
  )
  await engine.reload()
  const { cacheBytes, limits } = engine.packages()
  assert.equal(limits.cacheBytes, 2 * mebibyte)
  assert.ok(cacheBytes > mebibyte && cacheBytes <= limits.cacheBytes, `${cacheBytes} bytes`)
  assert.deepEqual(readdirSync(join(dir, 'cache/npm')), ['_cacache'])
  const fetched = () => registry.asked.filter(each => each.endsWith('.tgz')).length
  assert.equal(fetched(), 2)
  write('package.json', asks('first', 'second'))
  await until(
    () => engine.packages().status === 'installed' && fetched() > 2,
    'what is gone is fetched again',
  )
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.equal(fetched(), 3, 'what is there is not')
})

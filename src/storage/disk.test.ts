import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { open, route } from '../http/route.ts'
import { appForTest } from '../testing/app.ts'
import { temporaryFolder } from '../testing/folder.ts'
import { smallDisk } from '../testing/small-disk.ts'
import { openSqlite } from './database.ts'
import { checkDisk, isDiskFull } from './disk.ts'
import { enforcedQuota, quotaOf } from './disk-limit.ts'

test('a writable folder passes and stays unchanged; a missing one is reported by its error code', t => {
  const folder = temporaryFolder(t)
  checkDisk(folder)
  assert.deepEqual(readdirSync(folder), [])
  assert.throws(() => checkDisk(join(folder, 'none')), /ENOENT/)
})

test('a full disk is reported until there is room again', t => {
  const disk = smallDisk(t, { mebibytes: 2 })
  if (!disk) return
  checkDisk(disk.dir)
  disk.fill()
  assert.throws(() => checkDisk(disk.dir), /^Error: the disk is full$/)
  disk.free()
  checkDisk(disk.dir)
})

test('an error of a full disk answers 507 with a reason, whichever program reports it', async t => {
  const disk = smallDisk(t, { mebibytes: 2 })
  if (!disk) return
  const sqlite = openSqlite(join(disk.dir, 'a.db'))
  t.after(() => sqlite.close())
  sqlite.exec('create table t (x text)')
  const path = (name: string, work: () => void) =>
    route({
      method: 'get',
      path: name,
      summary: 'Writes',
      guard: open,
      answers: { 200: { description: 'Written', type: 'text/plain' } },
      handle: c => {
        work()
        return c.text('written')
      },
    })
  const app = appForTest([
    path('/row', () => sqlite.prepare('insert into t values (?)').run('x'.repeat(50_000))),
    path('/file', () => writeFileSync(join(disk.dir, 'file'), Buffer.alloc(50_000))),
    path('/wrapped', () => {
      throw new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'EDQUOT' }) })
    }),
    path('/other', () => {
      throw new Error('other')
    }),
  ])
  disk.fill()
  for (const name of ['/row', '/file', '/wrapped']) {
    const answer = await app.request(name)
    const problem = (await answer.json()) as { type: string; title: string }
    assert.deepEqual(
      [answer.status, problem.type, problem.title],
      [507, 'urn:longhouse:problem:disk-full', 'The disk is full'],
      name,
    )
  }
  assert.equal((await app.request('/other')).status, 500)
  disk.free()
  assert.equal((await app.request('/row')).status, 200)
  assert.equal(isDiskFull('text'), false)
})

test('a quota is above the limit of an instance, and recognised by the size that its volume seems to have', () => {
  const mebibyte = 1024 ** 2
  assert.deepEqual(quotaOf(64 * mebibyte), { bytes: 128 * mebibyte, files: 200_000 })
  assert.deepEqual(quotaOf(10 * 1024 * mebibyte), { bytes: 12 * 1024 * mebibyte, files: 786_432 })
  assert.equal(quotaOf(1_000_000_000).bytes % mebibyte, 0)
  const seen = (bytes: number, files: number) => ({ blocks: bytes / 4096, bsize: 4096, files })
  const limit = 64 * mebibyte
  assert.deepEqual(enforcedQuota(seen(128 * mebibyte, 200_000), limit), quotaOf(limit))
  assert.deepEqual(enforcedQuota(seen(128 * mebibyte, 32_768), limit), {
    bytes: 128 * mebibyte,
    files: 32_768,
  })
  for (const [other, of] of [
    [seen(128 * mebibyte, 500_000), limit],
    [seen(4096 * mebibyte, 200_000), limit],
    [seen(128 * mebibyte, 200_000), 2 * limit],
    [seen(128 * mebibyte, 200_000), null],
  ] as const)
    assert.equal(enforcedQuota(other, of), null)
})

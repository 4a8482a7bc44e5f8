import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryPlace } from '../../src/testing/folder.ts'
import { registry, startInstance, until } from '../engine.fixture.ts'

const imports = `${registry}import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
const attempt = (what: () => unknown) => { try { return String(what()) } catch { return 'kept out' } }
`
const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@daily', func: ${func} })\n`

/** A job that keeps its folder until it is asked to end, and one that tries to get at it. */
const manifest =
  imports +
  job(
    'holder',
    `async () => {
      writeFileSync(join(tmpdir(), 'token'), 'of the holder')
      writeFileSync('data/where', tmpdir())
      while (!existsSync('data/go')) await new Promise(done => setTimeout(done, 20))
    }`,
  ) +
  job(
    'thief',
    `() => {
      const theirs = readFileSync('data/where', 'utf8')
      const shell = (line: string) => attempt(() => execFileSync('sh', ['-c', line], { stdio: 'pipe', encoding: 'utf8' }))
      return {
        same: theirs === tmpdir(),
        read: attempt(() => readFileSync(join(theirs, 'token'), 'utf8')),
        cat: shell('cat ' + join(theirs, 'token')),
        list: attempt(() => readdirSync(dirname(theirs))),
        ls: shell('ls ' + dirname(theirs)),
        write: attempt(() => writeFileSync(join(theirs, 'planted'), '')),
        tmp: shell('echo > /tmp/longhouse-planted'),
        memory: shell('echo > /dev/shm/longhouse-planted'),
        link: shell('ln -s ' + join(theirs, 'token') + ' data/link && cat data/link'),
      }
    }`,
  ) +
  job(
    'untidy',
    `() => {
      const places = [tmpdir(), process.env.TMPDIR, homedir(), execFileSync('sh', ['-c', 'dirname $(mktemp)'], { encoding: 'utf8' }).trim()]
      mkdirSync(join(tmpdir(), 'closed/below'), { recursive: true })
      writeFileSync(join(tmpdir(), 'closed/below/file'), '')
      chmodSync(join(tmpdir(), 'closed/below'), 0)
      const deep = join(tmpdir(), 'a'.repeat(100) + ('/' + 'a'.repeat(100)).repeat(24))
      mkdirSync(deep, { recursive: true })
      mkdirSync(join(tmpdir(), 'more', 'b'.repeat(100) + ('/' + 'b'.repeat(100)).repeat(24)), { recursive: true })
      execFileSync('mv', [join(tmpdir(), 'more'), '.'], { cwd: deep })
      return places
    }`,
  )

test('each run has its own temporary folder, which is deleted with it', async t => {
  const { engine, run, ended, path } = await startInstance(t, {
    files: { 'manifest.ts': manifest },
    // As in a container: what is temporary lies outside the volume.
    place: memoryPlace(),
  })
  const { id } = engine.run('holder', { trigger: 'manual' })
  // A file is there before its content is.
  await until(
    () => existsSync(path('data/where')) && readFileSync(path('data/where'), 'utf8'),
    'it holds its folder',
  )
  const where = readFileSync(path('data/where'), 'utf8')
  assert.ok(existsSync(join(where, 'token')))

  for (const place of ['/tmp', '/dev/shm']) rmSync(join(place, 'longhouse-planted'), { force: true })
  const tried = (await run('thief')).result as Record<string, unknown>
  const { same, ...attempts } = tried
  assert.equal(same, false)
  for (const [name, found] of Object.entries(attempts)) assert.equal(found, 'kept out', name)
  for (const place of ['/tmp', '/dev/shm']) assert.ok(!existsSync(join(place, 'longhouse-planted')), place)

  writeFileSync(path('data/go'), '')
  assert.equal((await ended(id)).status, 'succeeded')
  assert.equal(existsSync(where), false, 'nothing is left of it')
})

test('an unreadable folder, or one nested deeper than the longest path, is deleted too', async t => {
  const { run } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  const { result, error } = await run('untidy')
  assert.equal(error, null)
  const places = new Set(result as string[])
  assert.equal(places.size, 1, 'every way to a temporary file leads there')
  const [place = ''] = places
  await until(() => !existsSync(place), 'it is gone')
})

test('temporary folders of a killed runtime are deleted at the next start, and a file in their place stops no run', async t => {
  const { run, dir, restart } = await startInstance(t, { files: { 'manifest.ts': manifest } })
  const root = join(dir, 'tmp')
  mkdirSync(join(root, 'run-before'), { recursive: true })
  writeFileSync(join(root, 'run-before/token'), 'left')
  await restart()
  await until(() => !existsSync(join(root, 'run-before')), 'it is gone')
  rmSync(root, { recursive: true })
  writeFileSync(root, 'in the way')
  await restart()
  const { error } = await run('thief')
  assert.match(error?.message ?? '', /data\/where/, 'it ran, and failed for what it looked for')
})

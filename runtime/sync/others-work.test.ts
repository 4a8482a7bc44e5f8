import assert from 'node:assert/strict'
import { chmodSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { longhouse } from '../git/authors.ts'
import { manyJobs, startSynced } from './sync.fixture.ts'

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 123456\n`
const submodule = '5'.repeat(40)

test('our commits keep and push submodules, packages and file modes made elsewhere', async t => {
  const { engine, server, sync, git, read, write, path } = await startSynced(t)
  // As people do it with a git of their own.
  server.commit({
    files: {
      'node_modules/left-pad/index.js': 'module.exports = 1\n',
      'bin/report.sh': '#!/bin/sh\n',
      'kept.log': 'tracked\n',
      '.gitignore': 'node_modules/\n*.log\n',
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'model.bin': pointer,
    },
    executable: ['bin/report.sh'],
    submodules: { 'vendor/lib': submodule },
  })
  assert.equal((await sync()).error, null)
  assert.ok(statSync(path('bin/report.sh')).mode & 0o100, 'the executable bit is applied')
  assert.ok(statSync(path('vendor/lib')).isDirectory())
  assert.equal(git('status', '--porcelain'), '')
  const parent = git('rev-parse', 'HEAD')

  write('manifest.ts', manyJobs(4, '// changed here\n'))
  await engine.reload()
  assert.equal((await sync()).error, null)
  assert.equal(server.head(), git('rev-parse', 'HEAD'))
  assert.equal(server.git('diff', '--name-status', parent, 'main'), 'M\tmanifest.ts')
  assert.match(
    server.git('ls-tree', 'main', 'bin/report.sh', 'vendor/lib'),
    new RegExp(`^100755[\\s\\S]*160000 commit ${submodule}`),
  )
  const { notFetched } = await engine.repo()
  assert.deepEqual(notFetched, [
    { path: 'model.bin', kind: 'lfs' },
    { path: 'node_modules', kind: 'packages' },
    { path: 'vendor/lib', kind: 'submodule' },
  ])

  // Modes go both ways, also where nothing else changed.
  chmodSync(path('notes.txt'), 0o755)
  chmodSync(path('bin/report.sh'), 0o644)
  write('kept.log', 'changed, and ignored\n')
  const before = git('rev-parse', 'HEAD')
  await engine.reload()
  assert.equal((await sync()).error, null)
  assert.deepEqual(
    server
      .git('diff', '--summary', before, 'main')
      .split('\n')
      .map(line => line.trim()),
    ['mode change 100755 => 100644 bin/report.sh', 'mode change 100644 => 100755 notes.txt'],
  )
  assert.equal(server.git('diff', '--name-only', before, 'main'), 'bin/report.sh\nkept.log\nnotes.txt')
  server.commit({ executable: ['bin/report.sh'] })
  assert.equal((await sync()).error, null)
  assert.ok(statSync(path('bin/report.sh')).mode & 0o100, 'a change of the mode alone is applied')
  assert.equal(git('status', '--porcelain'), '')

  // Back to the first of them: the tree is that one, submodule and all.
  await engine.revert(parent, longhouse)
  assert.equal(git('rev-parse', 'HEAD^{tree}'), git('rev-parse', `${parent}^{tree}`))
  assert.equal(read('notes.txt'), 'a\nb\nc\nd\ne\n')
  assert.equal(git('status', '--porcelain'), '')
  assert.equal(git('fsck', '--strict', '--no-dangling'), '')
})

test('a Git LFS pointer imported as JSON is reported as one', async t => {
  const { engine, write } = await startSynced(t)
  write('prices.json', pointer)
  write('manifest.ts', `import prices from './prices.json'\n${manyJobs(4)}void prices\n`)
  await engine.reload()
  const [error] = engine.manifest().errors
  assert.equal(error?.file, 'prices.json')
  assert.match(error?.message ?? '', /Git LFS pointer.*not fetched here/)
})

test('while the remote is unreachable, unpushed commits are counted and named', async t => {
  const { engine, server, sync, remote, git, write } = await startSynced(t)
  assert.deepEqual([(await remote()).ahead, (await remote()).unpushed.commits], [0, []])
  server.ill = 'down'
  for (const name of ['one', 'two']) {
    await engine.edit(
      { message: `Write ${name}`, by: { name: 'ada@example.com', email: 'ada@example.com' } },
      () => write('manifest.ts', manyJobs(4, `// ${name}\n`)),
    )
  }
  const away = await sync()
  assert.match(away.error ?? '', /closed the connection|does not accept connections/)
  assert.equal(away.ahead, 2)
  assert.deepEqual(
    away.unpushed.commits.map(({ message, author }) => [message, author]),
    [
      ['Write two', 'ada@example.com'],
      ['Write one', 'ada@example.com'],
    ],
  )
  server.ill = null
  assert.equal((await sync()).ahead, 0)
  assert.equal(server.head(), git('rev-parse', 'HEAD'))
  assert.equal(
    server.git('log', '-1', '--format=%an <%ae> / %cn'),
    'ada@example.com <ada@example.com> / Longhouse',
  )
})

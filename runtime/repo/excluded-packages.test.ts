import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from '../packages/registry.fixture.ts'

test('git itself sees no links to packages, also in a repo that is older than this rule', async t => {
  const registry = await startRegistry(t)
  for (const version of ['1.0.0', '2.0.0']) registry.publish('greeting', version, { 'index.js': '' })
  const own = { name: 'own', version: '1.0.0', dependencies: { greeting: '2.0.0' } }
  const { engine, path, write } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob('() => 1'),
      '.gitignore': 'node_modules/\n',
      '.npmrc': `registry=${registry.url}/\n`,
      'own/package.json': JSON.stringify(own),
      'package.json': JSON.stringify({ workspaces: ['own'], dependencies: { greeting: '1.0.0' } }),
    },
  })
  await until(
    async () => engine.manifest().status === 'ok' && !(await engine.repo()).dirty,
    'it is committed',
  )
  for (const link of ['node_modules', 'own/node_modules'])
    assert.equal(lstatSync(path(link)).isSymbolicLink(), true, link)
  const git = (...args: string[]) => execFileSync('git', args, { cwd: path(''), encoding: 'utf8' })
  assert.equal(git('status', '--porcelain'), '')
  git('add', '--all')
  assert.equal(git('diff', '--cached', '--name-only'), '')

  const exclude = path('.git/info/exclude')
  writeFileSync(exclude, '# of mine\n*.tmp')
  write('manifest.ts', oneJob('() => 2'))
  await until(() => readFileSync(exclude, 'utf8') === '# of mine\n*.tmp\nnode_modules\n', 'it is added')
  await until(async () => !(await engine.repo()).dirty, 'it is committed')
  assert.equal(git('status', '--porcelain'), '')

  // Whatever has the place of the list is left alone, and stops no commit.
  rmSync(exclude)
  symlinkSync('../../manifest.ts', exclude)
  write('manifest.ts', oneJob('() => 3'))
  await engine.reload()
  await until(async () => !(await engine.repo()).dirty, 'it is committed')
  assert.equal(readFileSync(path('manifest.ts'), 'utf8'), oneJob('() => 3'))
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { auth } from '../plugins/auth/index.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { bootForTest } from './boot.fixture.ts'

const root = join(import.meta.dirname, '..')
const adminToken = 'a-token-that-only-the-operator-has'

test('the worked example of CONTRIBUTING.md compiles, migrates and answers', async t => {
  const guide = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  const files = [...guide.matchAll(/^`([a-z]+\.ts)`:\n\n```ts\n([\s\S]*?)^```$/gm)]
  assert.deepEqual(
    files.map(([, name]) => name),
    ['contract.ts', 'schema.ts', 'index.ts'],
  )
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'plugins/remarks'), { recursive: true })
  for (const place of [
    'src',
    'node_modules',
    'tsconfig.json',
    'package.json',
    'plugins/auth',
    'plugins/site',
  ])
    symlinkSync(join(root, place), join(dir, place))
  for (const [, name = '', text = ''] of files) writeFileSync(join(dir, 'plugins/remarks', name), text)
  const tsconfig = {
    extends: join(root, 'tsconfig.json'),
    include: ['plugins/remarks/*.ts'],
    compilerOptions: { incremental: false },
  }
  writeFileSync(join(dir, 'tsconfig.example.json'), JSON.stringify(tsconfig))
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(root, 'node_modules/.bin', program), args, { cwd: dir, encoding: 'utf8' })
  run('tsc', '--noEmit', '-p', 'tsconfig.example.json')

  const [, command = ''] = /^npx (drizzle-kit .*)$/m.exec(guide) ?? []
  const [program = '', ...args] = command.split(' ')
  run(program, ...args)

  const { remarks } = (await import(pathToFileURL(join(dir, 'plugins/remarks/index.ts')).href)) as {
    remarks: Plugin
  }
  const tables = remarks.tables && {
    ...remarks.tables,
    migrations: relative(root, join(dir, remarks.tables.migrations)),
  }
  const { app, services } = await bootForTest(t, [auth, { ...remarks, tables }], {
    env: { ADMIN_TOKEN: adminToken },
  })
  const write = (text: string, token = adminToken) =>
    app.request('http://control.localhost/admin/instances/acme/remark', {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    })
  assert.equal((await write('unpaid', 'a-token-of-somebody-elses')).status, 401)
  assert.equal((await write('x'.repeat(501))).status, 422)
  assert.equal((await write('Stopped for maintenance')).status, 204)
  const offered = (services as Record<string, unknown>).remarks as { of(subdomain: string): string | null }
  assert.deepEqual([offered.of('acme'), offered.of('other')], ['Stopped for maintenance', null])
})

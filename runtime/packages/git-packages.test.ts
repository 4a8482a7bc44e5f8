import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { installScripts } from './install-scripts.ts'
import { failureOf } from './npm/failure.ts'

test('only packages from git that a script would build are named', t => {
  const dir = temporaryFolder(t)
  const put = (path: string, content: object) => {
    mkdirSync(join(dir, path, '..'), { recursive: true })
    writeFileSync(join(dir, path), JSON.stringify(content))
  }
  const resolved = (name: string) =>
    `git+ssh://git@github.com/acme/${name}.git#0123456789012345678901234567890123456789`
  put('package.json', {})
  put('node_modules/.package-lock.json', {
    packages: {
      'node_modules/made': { version: '1.0.0', resolved: resolved('made') },
      'node_modules/@acme/deep/node_modules/made-too': { version: '1.0.0', resolved: resolved('made-too') },
      'node_modules/plain': { version: '1.0.0', resolved: resolved('plain') },
      'node_modules/registry': {
        version: '1.0.0',
        resolved: 'https://npm.example.com/registry/-/registry-1.0.0.tgz',
      },
    },
  })
  put('node_modules/made/package.json', { scripts: { prepare: 'tsc' } })
  put('node_modules/@acme/deep/node_modules/made-too/package.json', { scripts: { prepack: 'tsc' } })
  put('node_modules/plain/package.json', { scripts: { test: 'node --test' } })
  put('node_modules/registry/package.json', { scripts: { prepare: 'tsc' } })
  assert.deepEqual(installScripts(dir).unbuilt, ['made', 'made-too'])
})

test('a package from git that npm refuses gets an error that says what to do', () => {
  const output = 'npm error code EALLOWGIT\nnpm error Fetching packages of type "git" have been disabled'
  const { message, passing } = failureOf(output)
  assert.match(message, /^a package is to come from git, which npm refuses.*Name a version from the registry/)
  assert.equal(passing, false)
})

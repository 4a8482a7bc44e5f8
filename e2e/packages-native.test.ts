import assert from 'node:assert/strict'
import { readFileSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { noContainers } from './container.fixture.ts'
import { filesOf, inContainerOf, noRegistry, testGroup } from './packages.fixture.ts'

testGroup(
  'native',
  {},
  {
    more: modules => {
      assert.ok(realpathSync(modules).includes(`${sep}packages${sep}`), 'they lie beside the repo')
      // The package has a script in this place, which its own install script replaces by the program.
      const program = readFileSync(join(modules, 'esbuild/bin/esbuild'))
      assert.equal(program.subarray(1, 4).toString(), 'ELF', 'an allowed install script has run')
    },
  },
)

test('a lockfile that names only the native packages of macOS is completed for the container, and kept for macOS', {
  skip: noContainers,
  timeout: 600_000,
}, async t => {
  const why = await noRegistry()
  if (why) return t.skip(why)
  const files = filesOf('native')
  const lock = JSON.parse(files['package-lock.json'] ?? '') as { packages: Record<string, unknown> }
  for (const path of Object.keys(lock.packages)) {
    const isNative = /\/@esbuild\/|\/@img\/sharp|\/@emnapi\//.test(path)
    if (isNative && !path.includes('darwin-arm64')) delete lock.packages[path]
  }
  const jobs = ['picture', 'bundle']
  const place = await inContainerOf(t, 'foreign-lockfile', {
    jobs,
    files: { ...files, 'package-lock.json': JSON.stringify(lock) },
  })
  for (const id of jobs) {
    const { error } = await place.run(id)
    assert.equal(error, null, `${id}: ${error?.message}`)
  }
  for (const name of [
    '@esbuild/darwin-arm64',
    '@esbuild/linux-x64',
    '@img/sharp-darwin-arm64',
    '@img/sharp-linux-x64',
  ])
    assert.ok(place.lockfile().includes(`"node_modules/${name}"`), name)
})

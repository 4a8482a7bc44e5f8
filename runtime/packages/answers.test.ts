import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from './registry.fixture.ts'

/** A `package.json` with one field a line, so that each has a line of its own. */
const asks = (fields: object) => JSON.stringify({ type: 'module', ...fields }, null, 2)

/** What people bring, with the file, the line and the beginning of the words that they get. */
const refused: Record<string, { files: Record<string, string>; at: [string, number | null]; says: RegExp }> =
  {
    'an unknown package': {
      files: { 'package.json': asks({ dependencies: { greeting: '1.0.0', '@acme/nowhere': '1' } }) },
      at: ['package.json', 5],
      says: /^@acme\/nowhere is not in the registry/,
    },
    'a name with capital letters': {
      files: { 'package.json': asks({ dependencies: { Greeting: '1.0.0' } }) },
      at: ['package.json', 4],
      says: /^Greeting.* is not in the registry.* New names have no capital letters/,
    },
    'a version that does not exist': {
      files: { 'package.json': asks({ dependencies: { greeting: '9' } }) },
      at: ['package.json', 4],
      says: /^there is no version greeting@9/,
    },
    'a lockfile that is no JSON': {
      files: {
        'package.json': asks({ dependencies: { greeting: '1.0.0' } }),
        'package-lock.json': '{\n  "a": 1\n  "b"',
      },
      at: ['package-lock.json', 3],
      says: /^is not valid JSON: .* Restore it from an earlier commit, or delete it: it is then made anew\.$/,
    },
    'a lockfile with marks of a merge': {
      files: {
        'package.json': asks({ dependencies: { greeting: '1.0.0' } }),
        'package-lock.json': '{\n<<<<<<< HEAD\n  "a": 1\n=======\n  "a": 2\n>>>>>>> other\n}',
      },
      at: ['package-lock.json', 2],
      says: /^merge conflict not resolved/,
    },
    'an engine that excludes this Node, where .npmrc is strict': {
      files: { 'package.json': asks({ dependencies: { older: '1.0.0' } }), '.npmrc': 'engine-strict=true\n' },
      at: ['package.json', 4],
      says: /^older@1\.0\.0 asks for Node <20, and instances run Node 26\..* remove engine-strict from \.npmrc/,
    },
    'versions that exclude each other': {
      files: { 'package.json': asks({ dependencies: { greeting: '1.0.0', plugin: '1.0.0' } }) },
      at: ['package.json', 5],
      says: /\(ERESOLVE\): plugin@1\.0\.0 needs greeting \^2\.0\.0 beside it.*"overrides"/,
    },
    'overrides against a dependency': {
      files: {
        'package.json': asks({ dependencies: { greeting: '1.0.0' }, overrides: { greeting: '2.0.0' } }),
      },
      at: ['package.json', 4],
      says: /^"overrides" asks for another version of greeting than "dependencies"/,
    },
    'a package from git': {
      files: { 'package.json': asks({ dependencies: { tool: 'github:acme/tool#v1' } }) },
      at: ['package.json', 4],
      says: /^a package is to come from git, which npm refuses \(EALLOWGIT\)\. Name a version from the registry/,
    },
    'a name that no package can have': {
      files: { 'package.json': asks({ dependencies: { 'my tool': '1' } }) },
      at: ['package.json', 4],
      says: /^package\.json names a package or a version that cannot exist/,
    },
  }

for (const [what, { files, at, says }] of Object.entries(refused)) {
  test(`is refused with its place and what to do: ${what}`, async t => {
    const { run, engine, write, path } = await startTogether(t)
    for (const [file, content] of Object.entries(files))
      write(file, file === '.npmrc' ? readFileSync(path('.npmrc'), 'utf8') + content : content)
    await engine.reload()
    await until(
      () => engine.manifest().errors[0]?.file !== undefined && engine.manifest().waitingFor === null,
      'it ends',
    )
    const [error] = engine.manifest().errors
    assert.match(error?.message ?? '', says)
    assert.deepEqual([error?.file, error?.line], at)
    assert.equal((await run('job')).result, 1, 'the set that was live still runs')
    for (const [file, content] of Object.entries(files))
      if (file.startsWith('package'))
        assert.equal(readFileSync(path(file), 'utf8'), content, 'nothing was changed')
  })
}

async function startTogether(t: Parameters<typeof startRegistry>[0]) {
  const registry = await startRegistry(t)
  for (const version of ['1.0.0', '2.0.0'])
    registry.publish('greeting', version, { 'index.js': `export const text = '${version}'` })
  registry.publish(
    'older',
    '1.0.0',
    { 'index.js': "export const text = 'older'" },
    { engines: { node: '<20' } },
  )
  registry.publish('plugin', '1.0.0', { 'index.js': '' }, { peerDependencies: { greeting: '^2.0.0' } })
  registry.publish('JSONStream', '1.0.0', { 'index.js': "export const text = 'capital'" })
  registry.publish('unbuilt', '1.0.0', { 'index.js': '' }, { scripts: { install: 'exit 1' } })
  const files = { 'manifest.ts': oneJob('() => 1'), '.npmrc': `registry=${registry.url}/\n` }
  return Object.assign(await startInstance(t, { files }), { registry })
}

const old = (version: number) =>
  JSON.stringify({
    name: 'jobs',
    lockfileVersion: version,
    requires: true,
    dependencies: { greeting: { version: '1.0.0' } },
  })

/** What people bring and what works, with what npm's output says besides. */
const taken: Record<
  string,
  { files: Record<string, string>; imports: string; result: unknown; says?: RegExp }
> = {
  'a lockfile of npm 6': {
    files: { 'package.json': asks({ dependencies: { greeting: '>=1' } }), 'package-lock.json': old(1) },
    imports: 'greeting',
    result: '1.0.0',
    says: /old lockfile/,
  },
  'only a lockfile of pnpm': {
    files: {
      'package.json': asks({ dependencies: { greeting: '^1' } }),
      'pnpm-lock.yaml': 'lockfileVersion: 9.0',
    },
    imports: 'greeting',
    result: '1.0.0',
    says: /pnpm-lock\.yaml is of another package manager, and is not read: .*npm install --package-lock-only/,
  },
  'only a lockfile of yarn': {
    files: {
      'package.json': asks({ dependencies: { greeting: '^1' }, packageManager: 'yarn@1.22.22' }),
      'yarn.lock':
        '# yarn lockfile v1\n\n"greeting@^1":\n  version "1.0.0"\n  resolved "https://npm.example.com/a.tgz"\n',
    },
    imports: 'greeting',
    result: '1.0.0',
    says: /yarn\.lock is of another package manager, and is not read/,
  },
  'scripts of the repo itself': {
    files: {
      'package.json': asks({
        dependencies: { greeting: '1.0.0' },
        scripts: { postinstall: 'exit 1', test: '' },
      }),
    },
    imports: 'greeting',
    result: '1.0.0',
    says: /Scripts of the repo's own package\.json are never run here: postinstall\. Commit what they make/,
  },
  'an optional package that cannot be built': {
    files: {
      'package.json': asks({
        dependencies: { greeting: '1.0.0' },
        optionalDependencies: { unbuilt: '1.0.0' },
        allowScripts: { unbuilt: true },
      }),
    },
    imports: 'greeting',
    result: '1.0.0',
    says: /unbuilt@1\.0\.0 is optional, could not be built, and is left out/,
  },
  'an engine that excludes this Node': {
    files: { 'package.json': asks({ dependencies: { older: '1.0.0' }, engines: { node: '<26' } }) },
    imports: 'older',
    result: 'older',
    says: /EBADENGINE/,
  },
  'what developers have to use': {
    files: {
      'package.json': asks({
        dependencies: { greeting: '1.0.0' },
        packageManager: 'pnpm@9.0.0',
        devEngines: { packageManager: { name: 'pnpm', onFail: 'error' } },
      }),
    },
    imports: 'greeting',
    result: '1.0.0',
  },
  'a capital letter in a name of old': {
    files: { 'package.json': asks({ dependencies: { JSONStream: '1.0.0' } }) },
    imports: 'JSONStream',
    result: 'capital',
  },
}

for (const [what, { files, imports, result, says }] of Object.entries(taken)) {
  test(`is installed: ${what}`, async t => {
    const { run, engine, write, registry } = await startTogether(t)
    for (const [file, content] of Object.entries(files))
      write(file, content.replace('REGISTRY', registry.url))
    write('manifest.ts', `import { text } from '${imports}'\n${oneJob('() => text')}`)
    await engine.reload()
    await until(
      () => engine.manifest().waitingFor === null && engine.packages().status !== 'installing',
      'npm is done',
    )
    assert.equal(engine.packages().error, null)
    await until(() => engine.manifest().status === 'ok', 'it is live')
    assert.equal((await run('job')).result, result)
    if (says) assert.match(engine.packages().output, says)
  })
}

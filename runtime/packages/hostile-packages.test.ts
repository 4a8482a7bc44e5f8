import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programRoot } from '../../src/root.ts'
import { memoryPlace, temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, registry as registryImport, startInstance, until } from '../engine.fixture.ts'
import { landlockVersion } from '../isolation/landlock.ts'
import { openSystemCalls } from '../isolation/system-calls.ts'
import { startRegistry } from './registry.fixture.ts'

const system = openSystemCalls()
const withoutLandlock = (!system || landlockVersion(system) < 1) && 'this system has no Landlock'

const asks = (dependencies: Record<string, string>, more: object = {}) =>
  JSON.stringify({ name: 'jobs', private: true, type: 'module', dependencies, ...more })

/** What an attacker would have a script do: read what a run may not, change the jobs, and leave a sign. */
const script = [
  'cp ../../secret.key stolen; cp ../secret.key stolen; cp "$LONGHOUSE_STOLEN" stolen',
  'echo // >> ../manifest.ts; echo x >> ../.git/config; echo x > ../planted',
  'echo ran > ran',
].join('; ')
const scripts = Object.fromEntries(
  ['preinstall', 'install', 'postinstall', 'prepare'].map(name => [name, script]),
)

async function withFile(t: TestContext, more: object, files: Record<string, string> = {}, npmrc = '') {
  const registry = await startRegistry(t)
  registry.publish('fetched', '1.0.0', { 'index.js': 'export const text = 1' })
  const instance = await startInstance(t, {
    files: {
      'manifest.ts': oneJob('() => 1'),
      '.npmrc': `registry=${registry.url}/\n${npmrc}`,
      'own/package.json': JSON.stringify({ name: 'own', version: '1.0.0', exports: './index.js', scripts }),
      'own/index.js': 'export const text = 2',
      'package.json': asks({ fetched: '1.0.0' }, { scripts, ...more }),
      ...files,
    },
  })
  const { engine, path } = instance
  const isDone = () => engine.packages().startedAt || engine.manifest().errors[0]?.file === 'package.json'
  await until(() => engine.packages().status !== 'installing' && isDone(), 'npm is done, or was not asked')
  const signs = () =>
    ['', 'own/'].flatMap(folder =>
      ['ran', 'stolen', 'planted', 'extended']
        .filter(name => existsSync(path(folder + name)))
        .map(name => folder + name),
    )
  const untouched = () =>
    readFileSync(path('manifest.ts'), 'utf8') === oneJob('() => 1') &&
    !(existsSync(path('.git/config')) && readFileSync(path('.git/config'), 'utf8').endsWith('x\n'))
  return { ...instance, signs, untouched }
}

for (const [way, more] of Object.entries({
  'file:': { dependencies: { fetched: '1.0.0', own: 'file:./own' } },
  'link:': { dependencies: { fetched: '1.0.0', own: 'link:./own' } },
  'a path': { dependencies: { fetched: '1.0.0', own: './own' } },
  'a workspace': { workspaces: ['own'] },
})) {
  test(`no script of the repo runs because of ${way}, not even one of its package.json`, async t => {
    const { signs, untouched } = await withFile(t, more)
    assert.deepEqual(signs(), [])
    assert.ok(untouched())
  })
}

test('no script runs because of a setting of .npmrc or an extension of npm', async t => {
  const extension = `import { writeFileSync } from 'node:fs'
writeFileSync(new URL('extended', import.meta.url), '')
export const transformManifest = pkg => pkg`
  const { signs, engine, untouched } = await withFile(
    t,
    { dependencies: { fetched: '1.0.0', own: 'file:./own' } },
    { '.npm-extension.mjs': extension },
    'dangerously-allow-all-scripts=true\nignore-scripts=false\nscript-shell=./own/index.js\ngit=./own/index.js\n',
  )
  assert.equal(engine.packages().error, null)
  assert.deepEqual(signs(), [])
  assert.ok(untouched())
})

for (const [way, more] of Object.entries({
  'a path': {
    dependencies: { fetched: '1.0.0', own: 'file:./own' },
    allowScripts: { 'file:./own': true },
  },
  'the name of a workspace': { workspaces: ['own'], allowScripts: { own: true } },
})) {
  test(`a package of the repo runs its scripts, restricted like a run, when allowScripts names it by ${way}`, {
    skip: withoutLandlock,
  }, async t => {
    const { signs, engine, untouched, path } = await withFile(t, more)
    assert.equal(engine.packages().error, null)
    assert.deepEqual(signs(), ['own/ran'], 'it wrote in its own folder, and stole nothing')
    assert.ok(untouched())
    assert.equal(existsSync(path('planted')), false)
  })
}

test('an allowed script of a package can neither read the volume nor change npm’s cache', {
  skip: withoutLandlock,
}, async t => {
  const registry = await startRegistry(t)
  const attack = `const fs = require('fs'), path = require('path')
    const tries = { env: Object.keys(process.env).filter(name => name.startsWith('LONGHOUSE_REACH')).join() }
    const attempt = (name, what) => { try { what(); tries[name] = 'done' } catch (error) { tries[name] = error.code } }
    let volume = process.cwd()
    while (!fs.existsSync(path.join(volume, 'longhouse.db'))) volume = path.dirname(volume)
    for (const name of ['longhouse.db', 'jobs/.git/config']) attempt('read ' + name, () => fs.readFileSync(path.join(volume, name)))
    for (const name of ['jobs/manifest.ts', 'cache/npm/planted', 'cache/git/planted', 'builds/planted', 'packages/planted', 'jobs/planted']) attempt('write ' + name, () => fs.writeFileSync(path.join(volume, name), 'x'))
    attempt('temporary', () => fs.writeFileSync(path.join(require('os').tmpdir(), 'x'), ''))
    attempt('tmp', () => fs.writeFileSync('/tmp/longhouse-planted', ''))
    fs.writeFileSync('index.js', 'export const text = ' + JSON.stringify(tries))`
  registry.publish(
    'built',
    '1.0.0',
    { 'index.js': '', 'build.cjs': attack },
    { scripts: { install: 'node build.cjs' } },
  )
  const { engine, run } = await startInstance(t, {
    files: {
      'manifest.ts': `import { text } from 'built'\n${oneJob('() => text')}`,
      '.npmrc': `registry=${registry.url}/\n`,
      'package.json': asks({ built: '1.0.0' }, { allowScripts: { built: true } }),
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  const { 'read jobs/.git/config': config, ...tried } = (await run('job')).result as Record<string, string>
  assert.ok(config)
  assert.deepEqual(tried, {
    env: '',
    'read longhouse.db': 'EACCES',
    ...Object.fromEntries(
      [
        'jobs/manifest.ts',
        'cache/npm/planted',
        'cache/git/planted',
        'builds/planted',
        'packages/planted',
        'jobs/planted',
      ].map(name => [`write ${name}`, 'EACCES']),
    ),
    temporary: 'done',
    tmp: 'EACCES',
  })
})

test('what an allowed script leaves among the packages makes the instance touch nothing else of the volume', {
  skip: withoutLandlock,
}, async t => {
  const registry = await startRegistry(t)
  const attack = `const fs = require('fs'), path = require('path')
    const stage = path.join(__dirname, '../..'), volume = path.join(stage, '../../..')
    const lock = { packages: { 'node_modules/own': { link: true, resolved: 'own' }, '../../../runs': { link: true, resolved: 'own' } } }
    fs.writeFileSync(path.join(stage, 'node_modules/.package-lock.json'), JSON.stringify(lock))
    fs.symlinkSync(path.join(volume, 'secret.key'), path.join(stage, 'node_modules/.longhouse'))
    fs.rmSync(path.join(stage, 'package-lock.json'))
    fs.symlinkSync(path.join(volume, 'secret.key'), path.join(stage, 'package-lock.json'))
    fs.rmSync(path.join(stage, 'own'), { recursive: true })
    fs.symlinkSync(path.join(volume, 'packages'), path.join(stage, 'own'))`
  registry.publish(
    'built',
    '1.0.0',
    { 'index.js': 'export const text = 1', 'build.cjs': attack },
    { scripts: { install: 'node build.cjs' } },
  )
  const { engine, run, dir, path, write } = await startInstance(t, {
    files: { 'manifest.ts': oneJob('() => 1') },
  })
  engine.secrets.set('TOKEN', 'worth it')
  const key = readFileSync(join(dir, 'secret.key'), 'utf8')
  write('.npmrc', `registry=${registry.url}/\n`)
  write('own/package.json', JSON.stringify({ name: 'own', version: '1.0.0' }))
  write('manifest.ts', `import { text } from 'built'\n${oneJob('() => text')}`)
  write('package.json', asks({ built: '1.0.0', own: 'file:./own' }, { allowScripts: { built: true } }))
  await engine.installPackages()
  await until(() => engine.packages().status === 'installed', 'it is installed')
  assert.equal(readFileSync(join(dir, 'secret.key'), 'utf8'), key)
  assert.ok(lstatSync(join(dir, 'runs')).isDirectory())
  assert.match(readFileSync(path('package-lock.json'), 'utf8'), /"lockfileVersion"/)
  assert.equal((await run('job')).status, 'succeeded')
})

test('an installation fails when a script puts a link in place of all packages', {
  skip: withoutLandlock,
}, async t => {
  const registry = await startRegistry(t)
  const attack = `const fs = require('fs'), path = require('path')
    const modules = path.join(__dirname, '..')
    fs.rmSync(modules, { recursive: true })
    fs.symlinkSync(path.join(modules, '../../../../jobs/data'), modules)`
  registry.publish(
    'built',
    '1.0.0',
    { 'index.js': '', 'build.cjs': attack },
    { scripts: { install: 'node build.cjs' } },
  )
  const { engine, path } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob('() => 1'),
      '.npmrc': `registry=${registry.url}/\n`,
      'package.json': asks({ built: '1.0.0' }, { allowScripts: { built: true } }),
    },
  })
  await until(() => engine.packages().status === 'failed', 'it failed')
  assert.match(engine.packages().error ?? '', /a script of a package put a link in place of a folder/)
  assert.equal(lstatSync(path('node_modules')).isSymbolicLink(), false)
})

for (const name of ['.npmrc', 'package.json', 'package-lock.json']) {
  test(`${name} is not read where it is a link: npm and errors would show what it leads to`, async t => {
    const { engine, path, dir, write } = await startInstance(t, {
      files: { 'manifest.ts': oneJob('() => 1') },
    })
    engine.secrets.set('TOKEN', 'worth it')
    const key = readFileSync(join(dir, 'secret.key'), 'utf8').trim()
    write('own/package.json', JSON.stringify({ name: 'own', version: '1.0.0' }))
    if (name !== 'package.json') write('package.json', asks({ own: 'file:./own' }))
    symlinkSync('../secret.key', path(name))
    await engine.installPackages().catch(() => {})
    await until(() => engine.manifest().errors.length > 0, 'it is refused')
    const [error] = engine.manifest().errors
    assert.equal(error?.file, name)
    assert.match(error?.message ?? '', /^must be a regular file of at most 64 MiB, and no link/)
    const shown = JSON.stringify([engine.packages(), engine.manifest()])
    assert.equal(shown.includes(key.slice(0, 8)), false)
  })
}

test('a package of the repo does not lie where jobs write', async t => {
  const { engine } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob('() => 1'),
      'data/own/package.json': JSON.stringify({ name: 'own', version: '1.0.0' }),
      'package.json': asks({ own: 'file:./data/own' }),
    },
  })
  await until(() => engine.manifest().errors.length > 0, 'it is refused')
  assert.match(engine.manifest().errors[0]?.message ?? '', /which lies in data\/, where jobs may replace it/)
})

/**
 * What V8 compiled of a file, as Node keeps it: five numbers before it say its length, a checksum of it, and which source
 * it is of. Other code of the same length passes for it, when the numbers are made to fit.
 */
const patch = `import { compileFunction } from 'node:vm'
import { crc32 } from 'node:zlib'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
const names = ['exports', 'require', 'module', '__filename', '__dirname']
function patched(entry: Buffer, source: string): Buffer {
  const evil = "require('fs').copyFileSync(" + JSON.stringify(process.cwd() + '/../secret.key') + ", " + JSON.stringify(process.cwd() + '/data/stolen') + ");"
  const made = compileFunction((evil + '//').padEnd(source.length, 'x'), names, { produceCachedData: true } as object) as unknown as { cachedData: Buffer }
  const out = Buffer.concat([entry.subarray(0, 20), made.cachedData])
  out.writeUInt32LE(made.cachedData.length, 8)
  out.writeUInt32LE(crc32(made.cachedData), 16)
  return out
}
export function attack(sources: string[]) {
  const places = [tmpdir(), dirname(tmpdir()), process.env.HOME ?? ''].map(place => join(place, 'node-compile-cache'))
  let entries = 0
  for (const place of places) {
    try {
      for (const name of readdirSync(place, { recursive: true }) as string[]) {
        const file = join(place, name)
        if (!statSync(file).isFile()) continue
        const entry = readFileSync(file)
        const source = sources.find(text => Buffer.byteLength(text) === entry.readUInt32LE(4))
        if (!source) continue
        writeFileSync(file, patched(entry, source))
        entries++
      }
    } catch {}
  }
  return entries
}
`

test('code that npm compiled is stored where no job can write', async t => {
  // Not in the folder that all programs of this machine share: if the attack works, it works there.
  const { TMPDIR } = process.env
  process.env.TMPDIR = temporaryFolder(t, memoryPlace())
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  })
  const registry = await startRegistry(t)
  for (const version of ['1.0.0', '2.0.0']) {
    registry.publish('fetched', version, { 'index.js': `export const text = '${version}'` })
  }
  const sources = ['bin/npm-cli.js', 'lib/cli.js', 'lib/cli/entry.js'].map(file =>
    readFileSync(programRoot('node_modules/npm', file), 'utf8'),
  )
  const { engine, run, write, path, dir } = await startInstance(t, {
    // As in a container: what is temporary lies outside the volume.
    place: memoryPlace(),
    files: {
      'patch.ts': patch,
      'manifest.ts': `import { attack } from './patch'\nimport { text } from 'fetched'\n${registryImport}
        jobRegistry.register({ id: 'text', cron: '@daily', func: () => text })
        jobRegistry.register({ id: 'attack', cron: '@daily', func: ({ params }) => attack(params.sources as string[]) })`,
      '.npmrc': `registry=${registry.url}/\n`,
      'package.json': asks({ fetched: '1.0.0' }),
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  mkdirSync(path('data'), { recursive: true })
  // Makes the key that is worth stealing.
  engine.secrets.set('TOKEN', 'worth it')
  assert.ok(existsSync(join(dir, 'secret.key')))
  assert.equal((await run('attack', { sources })).result, 0, 'it found nothing to patch')
  write('package.json', asks({ fetched: '2.0.0' }))
  await engine.installPackages()
  await until(() => engine.packages().status !== 'installing', 'npm is done')
  assert.equal(existsSync(path('data/stolen')), false, 'nothing of it ran')
  assert.equal((await run('text')).result, '2.0.0')
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from '../packages/registry.fixture.ts'
import { browser, startWeb } from '../web/web.fixture.ts'

/** No host has this name: nothing can be fetched from there. */
const origin = 'http://acme.invalid'
const settings = { LONGHOUSE_PUBLIC_URL: origin }

const built = join(import.meta.dirname, '../../dist/npm')
const [name = ''] = readdirSync(built)
const bytes = readFileSync(join(built, name))
const address = `${origin}/sdk/${name}`

interface PackageJson {
  devDependencies?: Record<string, string>
}

test('a new jobs repo names the package at the public address of its instance', async t => {
  const { path, engine, dir } = await startInstance(t, { settings })
  const { devDependencies } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as PackageJson
  assert.equal(devDependencies?.longhouse, address)
  assert.ok(existsSync(join(dir, 'sdk', name)), 'it stays available after an upgrade')
  assert.equal(engine.manifest().status, 'ok')
  assert.equal(engine.packages().status, 'none')
})

test('without a public address, a new jobs repo names no package', async t => {
  const { path, dir } = await startInstance(t)
  const { devDependencies } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as PackageJson
  assert.ok(devDependencies)
  assert.equal(devDependencies.longhouse, undefined)
  assert.equal(existsSync(join(dir, 'sdk')), false)
})

test('the package is served to everyone, with the same bytes after an upgrade', async t => {
  const { app, instance } = await startWeb(t, { publicUrl: origin })
  const get = (file: string) => app.request(`/sdk/${file}`)
  const reply = await get(name)
  assert.equal(reply.status, 200)
  assert.equal(reply.headers.get('content-type'), 'application/gzip')
  assert.equal(reply.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.deepEqual(Buffer.from(await reply.arrayBuffer()), bytes)
  const head = await app.request(`/sdk/${name}`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal((await head.arrayBuffer()).byteLength, 0)

  // What an older program served, under a name that this one does not have.
  const older = 'longhouse-0.0.9-b0123456789.tgz'
  renameSync(join(instance.dir, 'sdk', name), join(instance.dir, 'sdk', older))
  const kept = await get(older)
  assert.equal(kept.status, 200)
  assert.deepEqual(Buffer.from(await kept.arrayBuffer()), bytes)
  // Of one name, the first one served counts.
  writeFileSync(join(instance.dir, 'sdk', name), 'as it was')
  assert.equal(await (await get(name)).text(), 'as it was')
})

test('a version that was never here is refused with a reason, which npm prints', async t => {
  const { app } = await startWeb(t, { publicUrl: origin })
  const strange = [
    'longhouse-9.9.9.tgz',
    '..%2flonghouse.db',
    'longhouse-1..%2f..%2flonghouse.db.tgz',
    name.slice(1),
  ]
  for (const file of strange) {
    const reply = await app.request(`/sdk/${file}`)
    assert.equal(reply.status, 404, file)
    const { detail } = (await reply.json()) as { detail: string }
    assert.match(
      detail,
      /^This instance has no ".*"\. Install the package that it has: npm install --save-dev --allow-remote=root http/,
    )
    assert.ok(detail.endsWith(address))
    assert.equal(reply.headers.get('npm-notice'), detail)
  }
  const reply = await app.request(`/sdk/${encodeURIComponent('ü\n')}`)
  assert.equal(reply.status, 404)
})

test('an instance installs a repo that names its own package without asking its public address', async t => {
  const registry = await startRegistry(t)
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'one'" })
  const { dependencies = {} } = readManifestOf(bytes)
  for (const [each, range] of Object.entries(dependencies)) {
    registry.publish(each, range === '*' ? '26.0.0' : range, { 'index.js': '' })
  }
  const { engine, path, run, write } = await startInstance(t, {
    settings,
    files: {
      'manifest.ts': `import { text } from 'greeting'\n${oneJob('() => text')}`,
      '.npmrc': `registry=${registry.url}/\n`,
      '.gitignore': 'node_modules/\n',
      'package.json': JSON.stringify({
        name: 'jobs',
        type: 'module',
        dependencies: { greeting: '1.0.0' },
        devDependencies: { longhouse: address },
      }),
    },
  })
  await until(() => ['installed', 'failed'].includes(engine.packages().status), 'the installation ends')
  assert.equal(engine.packages().error, null, engine.packages().output)
  await until(() => engine.manifest().status === 'ok', 'the set is live')
  assert.equal((await run('job')).result, 'one')
  assert.equal(engine.packages().command, 'npm install --omit=dev')

  const lock = JSON.parse(readFileSync(path('package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; dev?: boolean }>
  }
  const { resolved, integrity, dev } = lock.packages['node_modules/longhouse'] ?? {}
  assert.deepEqual(
    { resolved, integrity, dev },
    {
      resolved: address,
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
      dev: true,
    },
  )

  // Among the packages that jobs use, npm installs it, from the lockfile and without one.
  const asked = { dependencies: { greeting: '1.0.0', longhouse: address } }
  write('package.json', JSON.stringify({ name: 'jobs', type: 'module', ...asked }))
  await until(() => existsSync(path('node_modules/longhouse/bin/longhouse.cjs')), 'it is installed')
  await until(() => engine.packages().status === 'installed', 'the installation ends')
  assert.equal((await run('job')).result, 'one', 'longhouse/jobs is the instance’s own')
})

test('a package of another instance that npm cannot get is named, with what to install instead', async t => {
  const other = 'http://127.0.0.1:1/sdk/longhouse-0.0.1.tgz'
  const { engine } = await startInstance(t, {
    settings,
    files: {
      'manifest.ts': oneJob('() => 1'),
      '.npmrc': 'allow-remote=root\n',
      'package.json': JSON.stringify({ name: 'jobs', dependencies: { longhouse: other } }),
    },
  })
  await until(() => engine.packages().status === 'failed', 'the installation fails')
  const { error } = engine.packages()
  assert.match(error ?? '', /^http:\/\/127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)/)
  assert.ok(
    error?.includes(`package.json names the package longhouse at ${other}, which is not of this instance.`),
  )
  assert.ok(error?.endsWith(`npm install --save-dev ${address}`), error ?? '')
})

function readManifestOf(tarball: Buffer): { dependencies?: Record<string, string> } {
  const { status, stdout } = spawnSync('tar', ['-xzOf', '-', 'package/package.json'], { input: tarball })
  assert.equal(status, 0)
  return JSON.parse(stdout.toString())
}

test('the page of the jobs repo shows how to install the package, and whether package.json names it', async t => {
  const { app, instance, signIn } = await startWeb(t, { publicUrl: origin })
  const Cookie = await signIn()
  const page = async () =>
    (await (await app.request('/repo', { headers: { ...browser, Cookie } })).text()).replaceAll(/\s+/g, ' ')
  const install = `npm install --save-dev --allow-remote=root ${address}`
  const first = await page()
  assert.ok(first.includes('package.json names this instance’s package'))
  assert.ok(!first.includes(install))
  const versions = {
    'https://old.example.com/sdk/longhouse-1.0.0.tgz': 'names a package at another address',
    [`${origin}/sdk/longhouse-1.0.0.tgz`]: 'names a version that this instance does not have',
    'left-pad': 'does not name the package',
  }
  for (const [longhouse, words] of Object.entries(versions)) {
    instance.write('package.json', JSON.stringify({ devDependencies: { longhouse } }))
    const shown = await page()
    assert.ok(shown.includes(words), longhouse)
    assert.ok(shown.includes(install))
  }
  copyFileSync(join(built, name), join(instance.dir, 'sdk/longhouse-1.0.0.tgz'))
  instance.write(
    'package.json',
    JSON.stringify({ devDependencies: { longhouse: `${origin}/sdk/longhouse-1.0.0.tgz` } }),
  )
  assert.ok((await page()).includes('names an older version'))
})

test('without a public address, the page of the jobs repo says what is missing', async t => {
  const { app, signIn } = await startWeb(t)
  const page = await app.request('/repo', { headers: { ...browser, Cookie: await signIn() } })
  const text = (await page.text()).replaceAll(/\s+/g, ' ')
  assert.match(text, /This instance does not know its public address.*LONGHOUSE_PUBLIC_URL/)
})

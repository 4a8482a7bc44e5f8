import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { bootForTest } from '../../control-plane/boot.fixture.ts'
import { startRegistry } from '../../runtime/packages/registry.fixture.ts'
import { programRoot } from '../../src/root.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { sdk } from './index.ts'

const built = programRoot('dist/npm')
const [name = ''] = readdirSync(built)

test('the package of this build is served to everyone, under its name and under a lasting one', async t => {
  const { app } = await bootForTest(t, [sdk])
  const lasting = await app.request('/sdk/longhouse.tgz')
  assert.deepEqual([lasting.status, lasting.headers.get('location')], [302, `/sdk/${name}`])
  assert.equal(lasting.headers.get('cache-control'), 'no-store')
  const reply = await app.request(`/sdk/${name}`)
  assert.equal(reply.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.deepEqual(Buffer.from(await reply.arrayBuffer()), readFileSync(join(built, name)))
  for (const file of ['longhouse-9.9.9.tgz', '..%2fpackage.json', 'ü']) {
    const unknown = await app.request(`/sdk/${encodeURIComponent(file)}`)
    assert.equal(unknown.status, 404)
    const { detail } = (await unknown.json()) as { detail: string }
    assert.match(
      detail,
      /npm install --global --allow-remote=root http:\/\/control\.localhost:\d+\/sdk\/longhouse\.tgz$/,
    )
  }
})

test('npm installs the command from the control plane', async t => {
  const registry = await startRegistry(t)
  for (const [dependency, version] of [
    [
      'esbuild',
      (JSON.parse(readFileSync(programRoot('package.json'), 'utf8')) as { dependencies: { esbuild: string } })
        .dependencies.esbuild,
    ],
    ['@types/node', '26.0.0'],
  ] as const)
    registry.publish(dependency, version, { 'index.js': '' })
  const { listen } = await bootForTest(t, [sdk])
  const port = await listen()
  const prefix = temporaryFolder(t)
  const npm = programRoot('node_modules/npm/bin/npm-cli.js')
  const flags = ['--global', '--allow-remote=root', '--prefix', prefix, '--registry', `${registry.url}/`]
  const env = { PATH: process.env.PATH, HOME: prefix, npm_config_cache: join(prefix, 'cache') }
  const run = promisify(execFile)
  await run(
    process.execPath,
    [npm, 'install', ...flags, '--no-audit', '--no-fund', `http://localhost:${port}/sdk/longhouse.tgz`],
    { env, cwd: prefix },
  )
  const { stdout } = await run(join(prefix, 'bin/longhouse'), ['instances', '--help'], {
    env: { ...env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
  })
  assert.match(stdout, /^Usage: longhouse instances/)
})

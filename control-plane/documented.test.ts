import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { siteConfig } from '../plugins/site/index.ts'
import { settingNames } from '../src/kernel/setting-names.ts'
import { silentLog } from '../src/log.ts'
import { ask } from '../src/testing/ask.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { controlPlane } from './control-plane.ts'
import { plugins } from './program.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const settings = read('docs/settings.md')
const guide = ['docs/operate.md', ...globSync('docs/operate/*.md', { cwd: root }).sort()].map(read).join('\n')

test('docs/settings.md lists every setting, and the compose file passes each of them on', () => {
  const listed = [...settings.matchAll(/^\| (`[A-Z_`, ]+) \|/gm)].flatMap(
    ([, cell = '']) => cell.match(/[A-Z_]+/g) ?? [],
  )
  const known = [siteConfig, ...plugins.map(plugin => plugin.config)].flatMap(each => settingNames(each))
  assert.ok(known.length > 40, 'the schemas were understood')
  assert.deepEqual(
    known.filter(name => !listed.includes(name)),
    [],
    'not in docs/settings.md',
  )
  assert.deepEqual(
    listed.filter(name => !known.includes(name)),
    [],
    'in docs/settings.md, but no plugin reads it',
  )

  // The edge beside it gets its settings from the control plane.
  const [service = ''] = read('docker/compose.yaml').split('\n  edge:\n')
  const handed = [...service.matchAll(/^ {6}([A-Z_]+): \$\{\1:/gm)].map(([, name]) => name)
  // The image and the mounted socket say these.
  const fixed = ['NODE_ENV', 'PROVISIONER_DRIVER', 'DOCKER_HOST']
  assert.deepEqual(handed.toSorted(), listed.filter(name => !fixed.includes(name)).toSorted())
})

test('the commands of the guide work as written, and its endpoints exist', async t => {
  const adminToken = 'a-token-that-only-the-operator-has'
  const program = await controlPlane({
    log: silentLog,
    env: {
      LONGHOUSE_DATA_ROOT: temporaryFolder(t),
      LONGHOUSE_PORT: '0',
      ADMIN_TOKEN: adminToken,
      PROVISIONER_DRIVER: 'process',
    },
  })
  t.after(() => program.stop())
  const port = await program.listen()
  const control = `control.localhost:${port}`

  const [, block = ''] = /```sh\n((?:curl .*\n)+)```/.exec(guide) ?? []
  assert.match(block, /health/)
  // The guide's site has HTTPS; this one has not.
  const commands = block
    .replaceAll('https://control.example.com', `http://${control}`)
    .replaceAll('curl ', 'curl -sS --fail-with-body ')
  const { stdout } = await promisify(execFile)('bash', ['-ec', commands], {
    env: { PATH: process.env.PATH, TOKEN: adminToken },
  })
  assert.match(stdout, /"status":"ok".*"instances":\[\]/s)

  const reply = await ask({ port, host: control, path: '/openapi.json' })
  const api = reply.json<{ paths: Record<string, Record<string, unknown>> }>()
  const shape = (path: string) => path.replace(/<[^>]*>|\{[^}]*\}/g, '{}')
  const routes = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${shape(path)}`),
  )
  const named = [...guide.matchAll(/`(GET|POST|DELETE|PUT) (\/[^\s`?]*|…\/[^\s`?]*)/g)]
  assert.ok(named.length >= 5)
  for (const [, method = '', path = ''] of named) {
    const full = shape(path.replace('…', '/admin/instances/{subdomain}'))
    assert.ok(routes.includes(`${method} ${full}`), `${method} ${full}`)
  }
})

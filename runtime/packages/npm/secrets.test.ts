import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { oneJob, startInstance, until } from '../../engine.fixture.ts'
import { cookieOf, password, postJson } from '../../web/web.fixture.ts'
import { startRegistry } from '../registry.fixture.ts'

const token = 'npm_sixteen-letters-of-a-token'

test('a private registry gets a token from the secrets; jobs, scripts, logs and pages do not', async t => {
  const registry = await startRegistry(t)
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'private'" })
  registry.publish(
    'built',
    '1.0.0',
    {
      'index.js': '',
      'build.cjs':
        "require('fs').writeFileSync('index.js', 'export const env = ' + JSON.stringify(process.env))",
    },
    { scripts: { install: 'node build.cjs' } },
  )
  registry.requires(token)
  const { engine, run, dir } = await startInstance(t, {
    files: {
      'manifest.ts': `import { text } from 'greeting'\nimport { env } from 'built'\n${oneJob('() => ({ text, ofScript: env.NPM_TOKEN ?? null, ofJob: process.env.NPM_TOKEN ?? null })')}`,
      'package.json': JSON.stringify({
        type: 'module',
        dependencies: { greeting: '1.0.0', built: '1.0.0' },
        allowScripts: { built: true },
      }),
      '.npmrc': `registry=${registry.url}/\n${registry.url.replace('http:', '')}/:_authToken=\${NPM_TOKEN}\n`,
    },
  })
  await until(() => engine.packages().status === 'failed', 'there is no token')
  await until(() => engine.manifest().waitingFor === null, 'the load has ended')
  assert.match(
    engine.packages().error ?? '',
    /refuses access \(E401\).* \.npmrc names NPM_TOKEN, and there is no such secret: set it on the Secrets page\.$/,
  )
  engine.secrets.set('NPM_TOKEN', 'npm_the-wrong-token')
  await engine.retryPackages()
  await until(
    () => engine.packages().status === 'failed' && engine.manifest().waitingFor === null,
    'it is wrong',
  )
  assert.match(engine.packages().error ?? '', /refuses access \(E401\).*_authToken=\$\{NPM_TOKEN\}\.$/)

  engine.secrets.set('NPM_TOKEN', token)
  await engine.retryPackages()
  await until(() => engine.manifest().status === 'ok', 'another token is tried by itself')
  assert.deepEqual((await run('job')).result, { text: 'private', ofScript: null, ofJob: null })
  const { app } = engine
  const Cookie = cookieOf(await postJson(app, '/api/auth/password', { password }))
  for (const page of ['/repo', '/api/jobs/repo', '/api/jobs/repo/packages', '/repo/files?path=.npmrc']) {
    const text = await (await app.request(page, { headers: { Cookie, Accept: 'text/html' } })).text()
    assert.equal(text.includes(token), false, page)
  }
  const found = execFileSync('sh', ['-c', `grep -rlF ${token} . || true`], { cwd: dir, encoding: 'utf8' })
  assert.equal(found, '', 'it lies in no file of the volume')
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { BootError } from '../../src/boot-error.ts'
import { behindTls, makeAuthority } from '../../src/testing/authority.ts'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from '../packages/registry.fixture.ts'
import { startGitServer } from '../sync/git-server.fixture.ts'

const missing = ['openssl', 'git', 'curl'].filter(name => spawnSync(name, ['--version']).error)
const skip = missing.length > 0 && `this system has no ${missing.join(', no ')}`

test("the operator's own authority is trusted by npm, git, jobs and what jobs start; without it they say so", {
  skip,
}, async t => {
  const authority = makeAuthority(t)
  const certificate = authority.sign('127.0.0.1')
  const registry = await startRegistry(t, { certificate })
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'trusted'" })
  const git = await startGitServer(t)
  const remote = await behindTls(t, certificate, git.url)
  const connection = { url: remote, token: git.token, username: 'bob', branch: 'main', localBranch: 'main' }
  const job = `async () => {
    const { execFileSync } = await import('node:child_process')
    const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })
    const address = process.env.REGISTRY as string
    return {
      text,
      fetched: (await fetch(address + '/greeting')).status,
      program: run(process.execPath, '-e', 'fetch(process.env.REGISTRY + "/greeting").then(({ status }) => console.log(status))').trim(),
      curl: run('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', address + '/greeting'),
      git: run('git', 'ls-remote', '--heads', process.env.REMOTE as string).includes('refs/heads'),
    }
  }`
  const files = {
    'manifest.ts': `import { text } from 'greeting'\n${oneJob(job)}`,
    '.npmrc': `registry=${registry.url}/\n`,
    '.gitignore': 'node_modules/\n',
    'package.json': JSON.stringify({ type: 'module', dependencies: { greeting: '1.0.0' } }),
  }
  const env = { REGISTRY: registry.url, REMOTE: remote.replace('//', `//bob:${git.token}@`) }
  const instance = await startInstance(t, { files, env })
  await until(() => instance.engine.packages().status === 'failed', 'npm trusts nobody')
  assert.match(
    instance.engine.packages().error ?? '',
    /answers with a certificate that this instance does not trust .* the operator sets LONGHOUSE_CA_FILE/,
  )
  await instance.engine.sync.connect(connection)
  assert.match((await instance.engine.repo()).remote.error ?? '', /certificate/)

  await instance.restart({ settings: { LONGHOUSE_CA_CERTIFICATES: authority.certificate } })
  const { engine } = instance
  await until(() => engine.manifest().status === 'ok', 'the package is installed')
  await engine.sync.sync()
  assert.equal((await engine.repo()).remote.error, null)
  const { result, error } = await instance.run('job')
  assert.equal(error, null)
  assert.deepEqual(result, { text: 'trusted', fetched: 200, program: '200', curl: '200', git: true })
})

test('certificates that are none stop the start, by name', async t => {
  const settings = { LONGHOUSE_CA_CERTIFICATES: 'nothing' }
  await assert.rejects(
    startInstance(t, { settings, files: { 'manifest.ts': oneJob('() => 1') } }),
    (error: Error) =>
      error instanceof BootError &&
      /LONGHOUSE_CA_CERTIFICATES: holds no certificate in PEM form/.test(error.message),
  )
})

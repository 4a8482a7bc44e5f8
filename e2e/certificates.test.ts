import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneJob } from '../runtime/engine.fixture.ts'
import { startRegistry } from '../runtime/packages/registry.fixture.ts'
import { startGitServer } from '../runtime/sync/git-server.fixture.ts'
import { behindTls, makeAuthority } from '../src/testing/authority.ts'
import { eventually } from '../src/testing/eventually.ts'
import { noContainers, type RepoJson, startInContainer } from './container.fixture.ts'

/** What the job asks, and of what kind the answers are: `registry` and `remote` are addresses. */
const asking = (registry: string, remote: string) => `async () => {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  const { tmpdir } = await import('node:os')
  const { readFileSync } = await import('node:fs')
  const run = async (program: string, ...args: string[]) => (await promisify(execFile)(program, args)).stdout.trim()
  const address = ${JSON.stringify(`${registry}/greeting`)}
  const curl = (...more: string[]) => run('curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', ...more, address)
  await run('git', 'clone', '--quiet', ${JSON.stringify(remote)}, tmpdir() + '/clone')
  return {
    text,
    built: built.text,
    fetched: (await fetch(address)).status,
    program: await run(process.execPath, '-e', 'fetch(process.argv[1]).then(({ status }) => console.log(status))', address),
    shell: await run('bash', '-c', 'curl -sS -o /dev/null -w "%{http_code}" "$0"', address),
    curl: await curl(),
    cloned: readFileSync(tmpdir() + '/clone/words.txt', 'utf8'),
    withoutIt: await curl('--cacert', '/etc/ssl/certs/ca-certificates.crt').catch((error: Error) => /unable to get local issuer certificate/.test(error.message)),
  }
}`

test("in a container, the operator's own authority is trusted by npm, git, sync, jobs and what jobs start", {
  skip: noContainers,
}, async t => {
  const authority = makeAuthority(t)
  const instance = await startInContainer(t, 'authority-test', { LONGHOUSE_CA_FILE: authority.file })
  const host = instance.hostAddress
  const certificate = authority.sign(host)
  const registry = await startRegistry(t, { host, certificate })
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'trusted'" })

  // One remote is the jobs repo's, the other that of a package which npm fetches with git.
  const [jobs, own] = [await startGitServer(t), await startGitServer(t)]
  const withToken = (url: string, token: string) => url.replace('//', `//bob:${token}@`)
  const remote = await behindTls(t, certificate, jobs.url, host)
  const ofPackage = withToken(await behindTls(t, certificate, own.url, host), own.token)
  own.edit({
    'package.json': '{ "name": "built", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
    'index.js': "export const text = 'from git'",
  })
  // The remote begins with what the instance has.
  instance.save('manifest.ts', oneJob("() => 'before'"))
  const before = await eventually('the first job is live', async () => {
    const { jobs, manifest } = await instance.jobs()
    return jobs.some(({ id }) => id === 'job') && manifest.commit
  })
  const connected = await instance.api('/api/jobs/repo/remote', {
    method: 'PUT',
    body: { url: remote, token: jobs.token, username: 'bob' },
  })
  assert.equal(connected.status, 200, connected.text)
  assert.equal(connected.json<RepoJson>().remote.error, null)

  const dependencies = { greeting: '1.0.0', built: `git+${ofPackage}` }
  jobs.edit({
    'manifest.ts': `import { text } from 'greeting'\nimport * as built from 'built'\n${oneJob(asking(registry.url, withToken(remote, jobs.token)))}`,
    '.npmrc': `registry=${registry.url}/\nallow-git=root\n`,
    '.gitignore': 'node_modules/\ndata/\n',
    'package.json': JSON.stringify({ type: 'module', dependencies }),
    'words.txt': 'cloned',
  })

  const synced = await instance.api('/api/jobs/repo/sync', { body: {} })
  assert.equal(synced.json<RepoJson>().remote.error, null)
  await eventually('the packages are installed, and the job is live', async () => {
    const { manifest } = await instance.jobs()
    assert.deepEqual(manifest.errors, [])
    return manifest.commit !== before && manifest.status === 'ok'
  })
  const { result, error } = await instance.run('job')
  assert.equal(error, null, `${error?.message}`)
  assert.deepEqual(result, {
    text: 'trusted',
    built: 'from git',
    fetched: 200,
    program: '200',
    shell: '200',
    curl: '200',
    cloned: 'cloned',
    withoutIt: true,
  })
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { oneJob } from '../runtime/engine.fixture.ts'
import { runInClone, runInstalledInClone } from '../runtime/modules/clone.fixture.ts'
import { idioms } from '../runtime/modules/idioms/idioms.fixture.ts'
import { addWasm, manifest } from '../runtime/modules/idioms/repo.fixture.ts'
import { ownPackages } from '../runtime/modules/idioms/repos.fixture.ts'
import { type GitServer, startGitServer } from '../runtime/sync/git-server.fixture.ts'
import { behindTls, makeAuthority } from '../src/testing/authority.ts'
import { eventually } from '../src/testing/eventually.ts'
import { type ContainerInstance, noContainers, type RepoJson, startInContainer } from './container.fixture.ts'

type Files = Record<string, string | Buffer>

/** Whether a file is put into the checkout and not committed: settings of the environment, and packages. */
const isPlaced = (name: string) => /^\.env|^node_modules\//.test(name)

/** What the instance ignores, besides what an idiom does. */
const ignored = 'node_modules/\ndata/\n.env*\n'

test('idioms run in a container as in a clone', { skip: noContainers, timeout: 600_000 }, async t => {
  const { instance, remote } = await startWithRemote(t)
  let before: Files = {}
  for (const [name, files] of Object.entries({ ...idioms, ...ownPackages })) {
    await t.test(name, async t => {
      const all: Files = {
        'manifest.ts': manifest(),
        'lib/add.wasm': addWasm,
        ...files,
        '.gitignore': ignored,
      }
      const clone = name in ownPackages ? runInstalledInClone(t, all) : runInClone(t, all)
      const gone = before
      before = { ...gone, ...all }
      await replace(instance, remote, gone, all)
      before = all
      const [{ result, error }, expected] = await Promise.all([instance.run('job'), clone])
      assert.equal(error, null, `${error?.message}\n${error?.stack}`)
      assert.deepEqual(result, expected)
      assert.notEqual(expected, null)
    })
  }
})

/** An instance whose jobs repo is in sync with a remote, so that many files change at once, by one commit. */
async function startWithRemote(t: TestContext): Promise<{ instance: ContainerInstance; remote: GitServer }> {
  const authority = makeAuthority(t)
  const instance = await startInContainer(t, 'idioms-test', { LONGHOUSE_CA_FILE: authority.file })
  // A change of the remote that removed all jobs would wait for a confirmation: the job of this name stays.
  instance.save('manifest.ts', oneJob("() => 'before'"))
  await eventually('the first job is live and committed', async () => {
    const { jobs, manifest } = await instance.jobs()
    return jobs.some(({ id }) => id === 'job') && manifest.commit
  })
  const remote = await startGitServer(t)
  const host = instance.hostAddress
  const url = await behindTls(t, authority.sign(host), remote.url, host)
  const connected = await instance.api('/api/jobs/repo/remote', {
    method: 'PUT',
    body: { url, token: remote.token, username: 'bob' },
  })
  assert.equal(connected.json<RepoJson>().remote.error, null, connected.text)
  return { instance, remote }
}

/** Replaces the files of the repo, and waits until its new job is live. */
async function replace(
  instance: ContainerInstance,
  remote: GitServer,
  before: Files,
  files: Files,
): Promise<void> {
  const { commit } = (await instance.jobs()).manifest
  const committed = Object.fromEntries(Object.entries(files).filter(([name]) => !isPlaced(name)))
  // The whole folder of packages: with a part of one, the instance would wait for the npm of a person.
  for (const name of Object.keys(before))
    if (isPlaced(name)) instance.remove(name.startsWith('node_modules/') ? 'node_modules' : name)
  for (const [name, content] of Object.entries(files)) if (isPlaced(name)) instance.save(name, content)
  const tracked = new Set(remote.git('ls-tree', '-r', '--name-only', 'main').split('\n'))
  const gone = Object.keys(before).filter(name => !(name in committed) && tracked.has(name))
  remote.edit({ ...Object.fromEntries(gone.map(name => [name, null])), ...committed })
  const synced = await instance.api('/api/jobs/repo/sync', { body: {} })
  assert.equal(synced.json<RepoJson>().remote.error, null, synced.text)
  const manifest = await eventually('the new files are loaded', async () => {
    const { manifest } = await instance.jobs()
    const isRefused = manifest.status === 'error' && manifest.waiting_for === null
    return (manifest.commit !== commit || isRefused) && manifest
  })
  assert.deepEqual(manifest.errors, [])
}

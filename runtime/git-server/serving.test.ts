import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, until } from '../engine.fixture.ts'
import { startGitServer } from '../sync/git-server.fixture.ts'
import { browser } from '../web/web.fixture.ts'
import { startServed } from './served.fixture.ts'

const files = { '.gitignore': 'node_modules/\n', 'manifest.ts': oneJob('async () => 1') }

test('every version of the protocol is served, shallow clones may push, and only the branch is shown', async t => {
  const served = await startServed(t, { files })
  const { instance, url, done, commit, push, git, head } = served
  const inside = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: instance.path('.'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  inside('branch', 'private')
  inside('tag', 'v1')
  const as = [
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@example.com',
    'commit-tree',
    'HEAD^{tree}',
    '-m',
    'hidden',
  ]
  const hidden = inside(...as)
  for (const version of ['0', '1', '2']) {
    await done('', '-c', `protocol.version=${version}`, 'clone', '--quiet', await url('read'), `v${version}`)
    assert.equal(await done(`v${version}`, 'rev-parse', 'HEAD'), await head())
    const refs = await done(`v${version}`, 'ls-remote', '--quiet')
    assert.deepEqual(
      refs.split('\n').map(line => line.split('\t')[1]),
      ['HEAD', 'refs/heads/main'],
    )
    // In version 2 git gives any object to a client that knows its id, as our pages of commits do.
    if (version === '2') continue
    const stolen = await git(`v${version}`, '-c', `protocol.version=${version}`, 'fetch', 'origin', hidden)
    assert.notEqual(stolen.code, 0, 'a commit of no branch is not given away')
  }
  await commit(await served.clone(), { 'a.txt': 'a' })
  assert.equal((await push('clone')).code, 0)
  await done('', 'clone', '--quiet', '--depth', '1', await url('write'), 'shallow')
  await commit('shallow', { 'b.txt': 'b' })
  const pushed = await push('shallow')
  assert.equal(pushed.code, 0, pushed.text)
  assert.equal(readFileSync(instance.path('b.txt'), 'utf8'), 'b')
})

test('a push is answered with what it changed itself, also after one that waits', async t => {
  const { clone, commit, push } = await startServed(t, { files })
  await clone()
  const say = async (content: string) => {
    await commit('clone', { 'manifest.ts': content })
    return (await push('clone')).text
  }
  const two =
    files['manifest.ts'] + files['manifest.ts'].split('\n').slice(1).join('\n').replace("'job'", "'two'")
  assert.match(await say(two), /Jobs: 1 added/)
  assert.match(await say('export {}\n'), /wait:/)
  const back = await say(`${two}// as before\n`)
  assert.match(back, /Live at \w+\. No job has changed/)
  assert.doesNotMatch(back, /added/)
})

test('the history says what went live when, and with which token it was pushed', async t => {
  const { app, instance, clone, commit, push, head, signIn } = await startServed(t, { files })
  await clone()
  await commit('clone', { 'manifest.ts': oneJob("() => 'pushed'") })
  await push('clone')
  await commit('clone', { 'manifest.ts': 'broken(' })
  await push('clone')
  assert.equal(instance.engine.manifest().status, 'error')
  const headers = { Cookie: await signIn() }
  const get = async (path: string) => (await app.request(`/api/jobs/repo/commits${path}`, { headers })).json()
  const { commits } = (await get('')) as { commits: { live_at: string | null; pushed_with: string | null }[] }
  assert.deepEqual(
    commits.map(each => [each.live_at !== null, each.pushed_with]),
    [
      [false, 'git write'],
      [true, 'git write'],
      [true, null],
    ],
  )
  const one = (await get(`/${await head()}`)) as { pushed_with: string }
  assert.equal(one.pushed_with, 'git write')
  const page = await app.request('/repo/history', { headers: { ...browser, ...headers } })
  assert.match(await page.text(), /pushed with git write/)
})

test('a request may be compressed, and a browser is sent to the page of the repo', async t => {
  const { origin, url, head, app } = await startServed(t, { files })
  const Authorization = `Bearer ${new URL(await url('read')).password}`
  const body = gzipSync(`0032want ${await head()}\n00000009done\n`)
  const answer = await fetch(`${origin}/jobs.git/git-upload-pack`, {
    method: 'POST',
    headers: {
      Authorization,
      'Content-Type': 'application/x-git-upload-pack-request',
      'Content-Encoding': 'gzip',
    },
    body: new Uint8Array(body),
  })
  assert.equal(answer.headers.get('content-type'), 'application/x-git-upload-pack-result')
  assert.match(Buffer.from(await answer.arrayBuffer()).toString('latin1'), /^0008NAK\nPACK/)
  const there = await app.request('/jobs.git', { headers: browser })
  assert.equal(there.headers.get('location'), '/repo')
})

test('settings, hooks and replacements in the jobs repo are not obeyed, and objects of other repositories not served', async t => {
  const { instance, url, done, commit, push, git, clone, head } = await startServed(t, { files })
  const trap = join(temporaryFolder(t), 'sprung')
  const inGit = (file: string) => instance.path(`.git/${file}`)
  const script = `#!/bin/sh\ntouch ${trap}\n`
  mkdirSync(inGit('hooks'), { recursive: true })
  const hooks =
    'pre-receive update post-receive post-update reference-transaction post-checkout post-index-change'
  for (const hook of hooks.split(' ')) writeFileSync(inGit(`hooks/${hook}`), script, { mode: 0o755 })
  writeFileSync(inGit('trap'), script, { mode: 0o755 })
  const config = `[core]\n\tfsmonitor = ${inGit('trap')}\n\thooksPath = ${inGit('hooks')}\n\tsshCommand = ${inGit('trap')}\n\talternateRefsCommand = ${inGit('trap')}\n[uploadpack]\n\tpackObjectsHook = ${inGit('trap')}\n[include]\n\tpath = /etc/hostname\n`
  writeFileSync(inGit('config'), readFileSync(inGit('config'), 'utf8') + config)
  await clone()
  await commit('clone', { 'a.txt': 'a' })
  const pushed = await push('clone')
  assert.equal(pushed.code, 0, pushed.text)
  assert.ok(!existsSync(trap))

  mkdirSync(inGit('objects/info'), { recursive: true })
  writeFileSync(inGit('objects/info/alternates'), `${instance.path('.git/objects')}\n`)
  const refused = await git('', 'clone', await url('read'), 'other')
  assert.notEqual(refused.code, 0)
  assert.match(refused.text, /remote: .*The jobs repo takes objects from another repository/)
  assert.equal(await done('clone', 'rev-parse', 'HEAD'), await head())
})

test('pushed commits go on to the remote with the next sync', async t => {
  const { instance, clone, commit, push } = await startServed(t, { files })
  const server = await startGitServer(t)
  const { url, token } = server
  await instance.engine.sync.connect({ url, token, username: 'bob', branch: 'main', localBranch: 'main' })
  const pushed = await commit(await clone(), { 'a.txt': 'a' })
  const answer = await push('clone')
  assert.match(answer.text, /remote: The next sync sends them to http:\/\/127\.0\.0\.1:\d+\/jobs\.git\./)
  await instance.engine.sync.sync()
  await until(() => server.head() === pushed, 'the remote has the commit')
  // And what comes from the remote can be pulled here.
  const theirs = server.edit({ 'b.txt': 'b' })
  await instance.engine.sync.sync()
  await served(instance.engine.repo, theirs)
})

async function served(
  repo: () => Promise<{ head: { commit: string } | null }>,
  commit: string,
): Promise<void> {
  assert.equal((await repo()).head?.commit, commit)
}

test('a push is in the audit log with its token and commit, and clones are not', async t => {
  const { app, clone, commit, push, signIn } = await startServed(t, { files })
  const pushed = await commit(await clone(), { 'a.txt': 'a' })
  assert.equal((await push('clone')).code, 0)
  await push('clone', 'HEAD:topic')
  const answer = await app.request('/api/audit', { headers: { Cookie: await signIn() } })
  const { entries } = (await answer.json()) as {
    entries: { action: string; target: string; actor: { kind: string; name: string } }[]
  }
  const told = entries.filter(({ action }) => action.includes('jobs.git'))
  assert.deepEqual(
    told.map(({ action, target, actor }) => [action, target, actor.kind, actor.name]),
    [['POST /jobs.git/git-receive-pack', `main ${pushed.slice(0, 12)}`, 'token', 'git write']],
  )
})

test('without a git program an instance says so to git and on its page', async t => {
  const path = process.env.PATH
  process.env.PATH = temporaryFolder(t)
  const starting = startServed(t, { files })
  const { app, signIn, git, url } = await starting.finally(() => {
    process.env.PATH = path
  })
  const { code, text } = await git('', 'clone', await url('read'), 'clone')
  assert.notEqual(code, 0)
  assert.match(text, /remote: This instance cannot be cloned\. The machine has no git program\./)
  const page = await app.request('/repo', { headers: { ...browser, Cookie: await signIn() } })
  assert.match(await page.text(), /This instance cannot be cloned\. The machine has no git program\./)
})

test('the page of the repo says how to clone, and names no folder of the instance', async t => {
  const { app, signIn, instance } = await startServed(t, { files, publicUrl: 'https://acme.example.com' })
  const page = await (await app.request('/repo', { headers: { ...browser, Cookie: await signIn() } })).text()
  assert.match(page, /git clone https:\/\/acme\.example\.com\/jobs\.git/)
  assert.match(page, /href="\/settings\/tokens"/)
  assert.ok(!page.includes(instance.dir))
})

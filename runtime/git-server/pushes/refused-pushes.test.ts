import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { oneJob, registry } from '../../engine.fixture.ts'
import { type ServedInstance, startServed } from '../served.fixture.ts'

const files = {
  '.gitignore': 'node_modules/\ndata/\n',
  'manifest.ts': oneJob('async () => 1'),
  'readme.md': 'read me',
}

/** Everything that a refused push could have changed. */
function stateOf({ instance }: ServedInstance) {
  const list = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => !/cache|runs|builds|longhouse\.db/.test(name))
      .sort()
  return { files: list(instance.path('.')), received: list(join(instance.dir, 'received')) }
}

async function refused(
  served: ServedInstance,
  push: () => Promise<{ code: number | null; text: string }>,
  words: RegExp,
) {
  const { head, instance } = served
  const [before, at] = [stateOf(served), await head()]
  const { code, text } = await push()
  assert.notEqual(code, 0, text)
  assert.match(text.replace(/ +$/gm, ''), words)
  assert.equal(await head(), at)
  assert.deepEqual(stateOf(served), before)
  assert.equal(instance.engine.manifest().status, 'ok')
}

async function start(t: TestContext): Promise<ServedInstance> {
  const served = await startServed(t, { files })
  await served.clone()
  // The folder for pushes is there from the first one on.
  await served.commit('clone', { 'first.txt': 'first' })
  assert.equal((await served.push('clone')).code, 0)
  return served
}

/** Makes the next push from the state of the instance. */
async function afresh(served: ServedInstance): Promise<void> {
  await served.done('clone', 'fetch', '--quiet')
  await served.done('clone', 'reset', '--hard', '--quiet', 'origin/main')
}

/** Commits a tree that git itself would not make. `entries` are lines of `git ls-tree`. */
async function commitTree(
  { done, path }: ServedInstance,
  entries: (blob: string) => string[],
): Promise<void> {
  writeFileSync(path('content'), 'content')
  const blob = await done('clone', 'hash-object', '-w', path('content'))
  const tree = Buffer.concat(
    entries(blob).map(line => {
      const [mode = '', oid = '', name = ''] = line.split(' ')
      return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
    }),
  )
  writeFileSync(path('tree'), tree)
  const oid = await done('clone', 'hash-object', '-w', '-t', 'tree', '--literally', path('tree'))
  const commit = await done('clone', 'commit-tree', oid, '-p', 'HEAD', '-m', 'Crafted')
  await done('clone', 'update-ref', 'refs/heads/main', commit)
}

test('branches, tags, deletions and forced pushes are refused with the reason', async t => {
  const served = await start(t)
  const { push, done, commit } = served
  await commit('clone', { 'a.txt': 'a' })
  const only =
    /remote: An instance keeps one branch, main, and no tags\.[\s\S]*\[remote rejected\].*\(only main is kept here\)/
  await refused(served, () => push('clone', 'HEAD:topic'), only)
  await done('clone', 'tag', 'v1')
  await refused(served, () => push('clone', 'v1'), only)
  await refused(
    served,
    () => push('clone', ':main'),
    /remote: The jobs of this instance are in main\.[\s\S]*\(main cannot be deleted\)/,
  )
  await done('clone', 'commit', '--amend', '--quiet', '--message', 'Rewritten')
  await afresh(served)
  await done('clone', 'reset', '--hard', '--quiet', 'HEAD~1')
  await commit('clone', { 'b.txt': 'b' })
  await refused(
    served,
    () => push('clone', '--force', 'HEAD:main'),
    /remote: The push does not contain the commits of the instance, and nothing is ever forced\.[\s\S]*\(not a fast-forward\)/,
  )
  // With a tag beside it, the branch is taken and the tag refused.
  await afresh(served)
  await commit('clone', { 'c.txt': 'c' })
  await done('clone', 'tag', 'v2')
  const both = await push('clone', 'HEAD:main', 'v2')
  assert.match(both.text, /-> main$/m)
  assert.match(both.text, /v2 -> v2 \(only main is kept here\)/)
  assert.equal(await served.head(), await done('clone', 'rev-parse', 'HEAD'))
})

test('files that no jobs repo may contain are refused by name', async t => {
  const served = await start(t)
  const { push, commit, done, path } = served
  const tried = async (make: () => Promise<unknown>, words: RegExp) => {
    await afresh(served)
    await make()
    await refused(served, () => push('clone'), words)
  }
  await tried(
    () => commitTree(served, blob => [`100644 ${blob} .git`]),
    /remote: Git refuses the object \w+: contains '\.git' \(hasDotgit\)\. Nothing was changed\./,
  )
  await tried(() => commitTree(served, blob => [`100644 ${blob} ..`]), /hasDotdot/)
  await tried(() => commitTree(served, blob => [`100644 ${blob} a/b`]), /fullPathname/)
  await tried(() => commitTree(served, blob => [`100644 ${blob} a`, `100644 ${blob} a`]), /duplicateEntries/)
  await tried(async () => {
    symlinkSync('../../../etc/passwd', path('clone', 'out'))
    await commit('clone', {})
  }, /remote: out is a link out of the jobs repo\./)
  await tried(async () => {
    symlinkSync('/etc/passwd', path('clone', 'out'))
    await commit('clone', {})
  }, /\(a link out of the repo\)/)
  await tried(async () => {
    mkdirSync(path('clone', 'folder'))
    symlinkSync('..', path('clone', 'folder', 'up'))
    symlinkSync('folder/up/../secret.key', path('clone', 'out'))
    await commit('clone', {})
  }, /remote: out is a link out of the jobs repo\./)
  await tried(async () => {
    await done('clone', 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor/other`)
    await done('clone', 'commit', '--quiet', '-m', 'A submodule')
  }, /remote: vendor\/other is a submodule, and its files are not fetched here\./)
  await tried(
    () => commit('clone', { 'README.md': 'READ ME' }),
    /remote: (README|readme)\.md and (README|readme)\.md differ only in case/,
  )
  await tried(
    () => commit('clone', { 'node_modules/left-pad/index.js': '' }),
    /remote: node_modules is committed\..* Run git rm -r --cached node_modules/,
  )
  await tried(
    () => commit('clone', { 'tab\tname.ts': '' }),
    /must not contain backslashes or control characters/,
  )
  await tried(async () => {
    await commit('clone', { 'apps/.env.production': 'KEY=secret' })
    await commit('clone', { 'apps/.env.production': null })
  }, /remote: apps\/\.env\.production would stay in the history\./)
  // Its content is known from another file of the push, and from the history.
  for (const content of ['the same', 'read me'])
    await tried(async () => {
      await commit('clone', { 'a.txt': content, 'apps/.env': content })
      await commit('clone', { 'apps/.env': null })
    }, /remote: apps\/\.env would stay in the history\./)
  // In a merge only.
  await tried(async () => {
    await done('clone', 'checkout', '--quiet', '-b', 'side')
    await commit('clone', { 'side.txt': 'side' })
    await done('clone', 'checkout', '--quiet', '-')
    await commit('clone', { 'here.txt': 'here' })
    await done('clone', 'merge', '--quiet', '--no-commit', '--no-ff', 'side')
    await commit('clone', { '.env': 'read me' })
    await done('clone', 'branch', '-D', 'side')
  }, /remote: \.env would stay in the history\./)
  // What looks like it and is fine.
  await afresh(served)
  symlinkSync('readme.md', path('clone', 'inside'))
  await commit('clone', { '.env.example': 'KEY=', 'jobs/.gitkeep': '' })
  const fine = await push('clone')
  assert.equal(fine.code, 0, fine.text)
  assert.equal(readFileSync(served.instance.path('inside'), 'utf8'), 'read me')
})

test('a push that is too large is refused, packed or unpacked', async t => {
  const served = await start(t)
  const { push, commit, done } = served
  await done('clone', 'config', 'core.compression', '0')
  await commit('clone', { 'noise.bin': randomBytes(100 * 1024 * 1024) })
  await refused(
    served,
    () => push('clone'),
    /remote: A push may have 50 MiB\. Nothing was changed\.[\s\S]*removes stays in the history[\s\S]*\(too large\)/,
  )
  await afresh(served)
  await done('clone', 'config', '--unset', 'core.compression')
  await commit('clone', { 'zeros.bin': Buffer.alloc(70 * 1024 * 1024) })
  await refused(
    served,
    () => push('clone'),
    /remote: A change may have 50 MiB, and this one has 70\. The largest file is zeros\.bin, with 70 MiB\..*every commit/,
  )
  await afresh(served)
  await commit('clone', Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`many/${i}.txt`, ''])))
  await refused(served, () => push('clone'), /more than 10000 files|may have 10000 files/)
})

test('what is no push of git is refused and changes nothing', async t => {
  const served = await start(t)
  const { origin, url, head } = served
  const before = await head()
  const Authorization = `Basic ${Buffer.from(`x:${new URL(await url('write')).password}`).toString('base64')}`
  const type = 'application/x-git-receive-pack-request'
  const post = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${origin}/jobs.git/git-receive-pack`, {
      method: 'POST',
      headers: { Authorization, 'Content-Type': type, ...headers },
      body: new Uint8Array(Buffer.from(body)),
    })
    return `${answer.status} ${(await answer.text()).replaceAll('\0', '')}`
  }
  assert.match(await post('0000'), /^200 $/)
  assert.match(await post('', { 'Content-Type': 'text/plain' }), /^415 .*This address is for git/s)
  assert.match(await post('0000', { Origin: 'https://evil.example.com' }), /^403 /)
  assert.match(await post('hello, this is no packet'), /^400 .*not a request of git/)
  assert.match(await post('00'), /^400 .*ends in the middle/)
  assert.match(await post('0009hello0000'), /^400 .*not a push of git/)
  const line = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text
  const command = line(`${before} ${'1'.repeat(40)} refs/heads/main\0report-status side-band-64k`)
  assert.match(
    await post(`${command}0000PACK rubbish`),
    /^200 [\s\S]*Git cannot read what was sent[\s\S]*ng refs\/heads\/main/,
  )
  assert.match(await post(`${command}0000`), /^200 [\s\S]*ng refs\/heads\/main/)
  assert.match(await post('rubbish', { 'Content-Encoding': 'gzip' }), /^400 .*Content-Encoding/)
  assert.equal(await head(), before)
})

test('a push that is refused before it was read is read to its end, so that the client gets the words', async t => {
  const { origin, url, head, instance } = await start(t)
  const from = await head()
  execFileSync('git', ['checkout', '--quiet', '--detach'], { cwd: instance.path('.') })
  const text = `${from} ${'1'.repeat(40)} refs/heads/main\0report-status side-band-64k`
  const body = Buffer.concat([
    Buffer.from(`${(text.length + 4).toString(16).padStart(4, '0')}${text}0000`),
    Buffer.alloc(90 * 1024 * 1024),
  ])
  const answer = await fetch(`${origin}/jobs.git/git-receive-pack`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${new URL(await url('write')).password}`,
      'Content-Type': 'application/x-git-receive-pack-request',
    },
    body,
  })
  assert.match(
    await answer.text(),
    /no commit on a branch[\s\S]*ng refs\/heads\/main it could not be received/,
  )
})

test('an edit on the instance is never overwritten: loaded ones are committed first, others are in the way', async t => {
  const served = await start(t)
  const { instance, clone, commit, push, done, head, path } = served
  // An edit that loads becomes a commit, and so a push without it is behind.
  const mine = await commit('clone', { 'manifest.ts': oneJob('async () => 2') })
  await instance.engine.edit({ message: '', by: { name: 'Ada', email: 'ada@example.com' } }, () =>
    instance.write('notes.txt', 'written here'),
  )
  await refused(served, () => push('clone'), /\[rejected\]|remote: The instance has newer commits/)
  assert.notEqual(await head(), mine)
  await done('clone', 'pull', '--quiet', '--rebase')
  assert.equal(readFileSync(path('clone', 'notes.txt'), 'utf8'), 'written here')
  assert.equal((await push('clone')).code, 0)

  // One that does not load is in no commit; it stays, and the push waits.
  await clone('other')
  const unfinished = `${registry}unfinished(`
  instance.write('manifest.ts', unfinished)
  await instance.engine.reload()
  const at = await head()
  await commit('other', { 'manifest.ts': oneJob('async () => 3') })
  const answer = await push('other')
  assert.match(
    answer.text,
    /remote: Nothing was changed: manifest\.ts has an edit on the instance that is in no commit/,
  )
  assert.match(answer.text, /\(an edit is in the way\)/)
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), unfinished)
  assert.equal(await head(), at)
  // A push beside it is taken, and says that the files do not load.
  await done('other', 'reset', '--hard', '--quiet', 'origin/main')
  await commit('other', { 'beside.txt': 'beside' })
  const beside = await push('other')
  assert.equal(beside.code, 0, beside.text)
  assert.match(beside.text, /remote: The commits are here, but not live:/)
  assert.match(
    beside.text,
    /manifest\.ts has an edit on the instance that is in no commit\. Finish or undo it at/,
  )
  assert.doesNotMatch(beside.text, /push again/)
  assert.ok(existsSync(instance.path('beside.txt')))
  assert.equal(readFileSync(instance.path('manifest.ts'), 'utf8'), unfinished)

  // Files that git ignores are edits too.
  instance.write('manifest.ts', oneJob('async () => 2'))
  instance.write('data/state.txt', 'of a job')
  await instance.engine.reload()
  await commit('other', { 'data/state.txt': 'pushed' })
  const ignored = await push('other')
  assert.match(ignored.text, /data\/state\.txt has an edit on the instance/)
  assert.equal(readFileSync(instance.path('data/state.txt'), 'utf8'), 'of a job')
})

test('of pushes and saves at the same time each is kept or refused, and none is lost', async t => {
  const served = await start(t)
  const { instance, clone, commit, push, done } = served
  await clone('other')
  const by = { name: 'Ada', email: 'ada@example.com' }
  for (let i = 0; i < 3; i++) {
    for (const each of ['clone', 'other']) {
      await done(each, 'fetch', '--quiet')
      await done(each, 'reset', '--hard', '--quiet', 'origin/main')
      await commit(each, { [`${each}-${i}.txt`]: `${i}` })
    }
    const [one, two] = await Promise.all([
      push('clone'),
      push('other'),
      instance.engine.edit({ message: '', by }, () => instance.write('saved.txt', `${i}`)),
    ])
    assert.ok(one.code !== 0 || two.code !== 0, 'two pushes from one commit')
    assert.equal(readFileSync(instance.path('saved.txt'), 'utf8'), `${i}`)
    for (const [name, { code, text }] of [
      ['clone', one],
      ['other', two],
    ] as const) {
      assert.equal(existsSync(instance.path(`${name}-${i}.txt`)), code === 0, text)
      if (code !== 0) assert.match(text, /fetch first|in the way|in use|failed to push/)
    }
    await instance.engine.reload()
    const { dirty } = await instance.engine.repo()
    assert.equal(dirty, false)
  }
  await done('clone', 'fetch', '--quiet')
  assert.equal(await done('clone', 'show', 'origin/main:saved.txt'), '2')
  await done('clone', 'fsck', '--strict')
})

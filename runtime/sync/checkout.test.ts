import assert from 'node:assert/strict'
import { execFileSync, fork, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builtRoot } from '../../src/root.ts'
import { memoryFolder, temporaryFolder } from '../../src/testing/folder.ts'
import { checkout, recoverCheckout } from '../git/work-tree/checkout.ts'

/** A repo with two commits, at the first of them. */
function twoCommits(t: TestContext, first: Record<string, string>, second: Record<string, string>) {
  const dir = memoryFolder(t)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  const commit = (files: Record<string, string>) => {
    for (const name of git('ls-files').split('\n').filter(Boolean)) rmSync(join(dir, name))
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), content)
    }
    git('add', '--all')
    git('commit', '--quiet', '--message', 'x')
    return git('rev-parse', 'HEAD')
  }
  git('init', '--quiet', '--initial-branch=main')
  const from = commit(first)
  const to = commit(second)
  git('reset', '--quiet', '--hard', from)
  const read = (file: string) => (existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8') : null)
  return { dir, git, from, to, read, branch: 'main' }
}

const first = { same: 's', change: '1', gone: 'g', 'folder/a': 'a', place: 'a file' }
const second = {
  same: 's',
  change: '2',
  'new/deep/file': 'n',
  'place/inside': 'now a folder',
  'folder/b': 'b',
}

test('a checkout moves files, index and branch from one commit to another', async t => {
  const { dir, git, from, to, read, branch } = twoCommits(t, first, second)
  assert.deepEqual(await checkout(dir, { branch, from, to }), { done: true })
  assert.equal(git('rev-parse', 'HEAD'), to)
  assert.equal(git('status', '--porcelain'), '')
  assert.equal(read('place/inside'), 'now a folder')
  assert.equal(read('gone'), null)
  assert.deepEqual(await checkout(dir, { branch, from: to, to: from }), { done: true })
  assert.equal(git('status', '--porcelain'), '')
  assert.equal(read('place'), 'a file')
  assert.equal(existsSync(join(dir, 'new')), false, 'no empty folders stay')
  assert.equal(existsSync(join(dir, '.git/longhouse-sync')), false)
})

test('executable files and links keep their kind', async t => {
  const { dir, git, from, branch } = twoCommits(t, { a: 'x' }, { a: 'x', b: 'y' })
  writeFileSync(join(dir, 'tool'), '#!/bin/sh\n', { mode: 0o755 })
  execFileSync('ln', ['-s', 'a', join(dir, 'link')])
  git('add', '--all')
  git('commit', '--quiet', '--message', 'x')
  const to = git('rev-parse', 'HEAD')
  git('reset', '--quiet', '--hard', from)
  assert.deepEqual(await checkout(dir, { branch, from, to }), { done: true })
  assert.equal(git('status', '--porcelain'), '')
})

for (const [what, spoil, path] of [
  ['an edit', (dir: string) => writeFileSync(join(dir, 'change'), 'edited'), 'change'],
  ['an edit of what is to go', (dir: string) => writeFileSync(join(dir, 'gone'), 'edited'), 'gone'],
  [
    'a file where one is to come',
    (dir: string) => {
      mkdirSync(join(dir, 'new/deep'), { recursive: true })
      writeFileSync(join(dir, 'new/deep/file'), 'mine')
    },
    'new/deep/file',
  ],
  [
    'something in the index only',
    (dir: string) => {
      writeFileSync(join(dir, 'change'), 'staged')
      execFileSync('git', ['add', 'change'], { cwd: dir })
      writeFileSync(join(dir, 'change'), '1')
    },
    'change',
  ],
] as const) {
  test(`${what} is kept, and the checkout changes nothing`, async t => {
    const { dir, git, from, to, branch } = twoCommits(t, first, second)
    spoil(dir)
    const before = [
      git('status', '--porcelain', '--untracked-files=all'),
      git('diff'),
      git('diff', '--cached'),
    ]
    const done = await checkout(dir, { branch, from, to })
    assert.ok(!done.done && done.refused.startsWith(`${path} has changes here`), JSON.stringify(done))
    assert.deepEqual(
      [git('status', '--porcelain', '--untracked-files=all'), git('diff'), git('diff', '--cached')],
      before,
    )
    assert.equal(git('rev-parse', 'HEAD'), from)
    assert.equal(existsSync(join(dir, '.git/index.lock')), false)
  })
}

test('a checkout waits for another git program, and follows no link out of the repo', async t => {
  const { dir, from, to, branch } = twoCommits(t, { a: '1' }, { a: '1', 'data/file': 'x' })
  writeFileSync(join(dir, '.git/index.lock'), '')
  const busy = await checkout(dir, { branch, from, to })
  assert.ok(!busy.done && /another git program/.test(busy.refused))
  rmSync(join(dir, '.git/index.lock'))
  const outside = temporaryFolder(t)
  execFileSync('ln', ['-s', outside, join(dir, 'data')])
  assert.equal((await checkout(dir, { branch, from, to })).done, false)
  assert.equal(existsSync(join(outside, 'file')), false)
})

test('a checkout killed after writing all files is undone, index included, if a file was edited since; the edit stays', async t => {
  const { dir, git, from, to, read, branch } = twoCommits(t, first, second)
  git('reset', '--quiet', '--hard', to)
  git('update-ref', `refs/heads/${branch}`, from)
  mkdirSync(join(dir, '.git/longhouse-sync'))
  const { pid = 0 } = spawnSync('true')
  writeFileSync(join(dir, '.git/longhouse-sync/journal.json'), JSON.stringify({ pid, branch, from, to }))
  writeFileSync(join(dir, '.git/index.lock'), 'longhouse sync\n')
  writeFileSync(join(dir, 'change'), 'edited')
  await recoverCheckout(dir)
  assert.equal(git('rev-parse', 'HEAD'), from)
  assert.equal(git('status', '--porcelain', '--untracked-files=all'), 'M change')
  assert.deepEqual([read('change'), read('gone'), read('place')], ['edited', 'g', 'a file'])
})

test('a checkout killed at any moment is finished by the next one, or undone if a file was edited since', async t => {
  const numbered = (count: number, word: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`folder-${i % 7}/file-${i}`, `${word} ${i}\n`]),
    )
  const { dir, git, from, to, branch } = twoCommits(t, numbered(150, 'old'), {
    ...Object.fromEntries(Object.entries(numbered(150, 'new')).slice(0, 120)),
    ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`added/${i}`, `added ${i}\n`])),
  })
  let [finished, caught] = [0, 0]
  // Repeats until enough of the kills came in the middle, however fast the machine is.
  for (let round = 0; round < 10 || (caught < 3 && round < 100); round++) {
    const program = fork(builtRoot('sync.js'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    t.after(() => program.kill('SIGKILL'))
    const gone = new Promise(resolve => program.once('exit', resolve))
    const answered = new Promise<void>(resolve => program.once('message', () => resolve()))
    program.send({ id: 1, dir, op: 'checkout', branch, from, to })
    while (program.exitCode === null && !existsSync(join(dir, '.git/longhouse-sync'))) {
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    await Promise.race([answered, gone, new Promise(resolve => setTimeout(resolve, (round % 10) ** 2 * 4))])
    program.kill('SIGKILL')
    await gone
    const half = existsSync(join(dir, '.git/longhouse-sync/journal.json'))
    if (half) caught++
    const edited = half && round % 3 === 2
    if (edited) writeFileSync(join(dir, 'folder-1/file-1'), 'edited after the kill\n')
    await recoverCheckout(dir)
    const head = git('rev-parse', 'HEAD')
    const status = git('status', '--porcelain', '--untracked-files=all')
    assert.equal(status, edited ? 'M folder-1/file-1' : '')
    if (edited) assert.equal(readFileSync(join(dir, 'folder-1/file-1'), 'utf8'), 'edited after the kill\n')
    if (head === to) finished++
    else assert.equal(head, from)
    assert.equal(existsSync(join(dir, '.git/index.lock')), false)
    assert.equal(existsSync(join(dir, '.git/longhouse-sync')), false)
    assert.equal(git('fsck', '--strict'), '')
    git('reset', '--quiet', '--hard', from)
    git('clean', '--quiet', '-fd')
  }
  t.diagnostic(`${caught} kills in the middle, ${finished} finished`)
  assert.ok(caught >= 3, `only ${caught} in the middle`)
})

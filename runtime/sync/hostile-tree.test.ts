import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openObjects } from '../git/objects/objects.ts'
import { listEntries, treeBounds } from '../git/objects/tree-changes.ts'
import { checkout } from '../git/work-tree/checkout.ts'

const readFiles = async (dir: string, commit: string) => {
  const objects = openObjects(dir)
  return new Map(await listEntries(objects, await objects.treeOf(commit)))
}

/** A repo, and what makes trees in it that no work tree could have. */
function repo(t: TestContext) {
  const dir = temporaryFolder(t)
  const git = (args: string[], input = '') =>
    execFileSync('git', ['-c', 'user.name=Eve', '-c', 'user.email=eve@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim()
  git(['init', '--quiet', '--initial-branch=main'])
  const blob = git(['hash-object', '-w', '--stdin'], 'x')
  const file = (name: string) => `100644 blob ${blob}\t${name}\n`
  const tree = (...lines: string[]) => git(['mktree'], lines.join(''))
  const folder = (name: string, inside: string) => `040000 tree ${inside}\t${name}\n`
  const commit = (root: string) => git(['commit-tree', root, '-m', 'x'])
  return { dir, git, file, tree, folder, commit }
}

test('a few objects that form an endless tree are refused at once', async t => {
  const { dir, file, tree, folder, commit } = repo(t)
  let bomb = tree(file('a'))
  for (let i = 0; i < 10; i++) bomb = tree(...Array.from({ length: 10 }, (_, n) => folder(`f${n}`, bomb)))
  await assert.rejects(readFiles(dir, commit(bomb)), /contains more than 50000 files and folders/)
})

test('a tree has a maximum depth', async t => {
  const { dir, file, tree, folder, commit } = repo(t)
  let deep = tree(file('a'))
  for (let i = 1; i < treeBounds.depth; i++) deep = tree(folder('f', deep))
  assert.deepEqual(
    [...(await readFiles(dir, commit(deep))).keys()],
    [`${'f/'.repeat(treeBounds.depth - 1)}a`],
  )
  await assert.rejects(readFiles(dir, commit(tree(folder('f', deep)))), /folders more than 50 deep/)
})

test('a name that reaches into git is refused anywhere in a tree', async t => {
  const { dir, git, file, tree, folder, commit } = repo(t)
  const inside = tree(file('config'))
  for (const name of ['.git', '.GIT', '.git.', 'git~1']) {
    // git's own mktree would not write it.
    const bytes = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(inside, 'hex')])
    const path = join(dir, 'object')
    writeFileSync(path, bytes)
    const hostile = git(['hash-object', '-w', '--literally', '-t', 'tree', path])
    await assert.rejects(
      readFiles(dir, commit(tree(folder('sub', hostile)))),
      /contains a file called "sub\/|unsafe/,
      name,
    )
  }
})

test('a pipe in place of a file does not block a checkout, and stays', async t => {
  const { dir, git } = repo(t)
  const save = (content: string) => {
    writeFileSync(join(dir, 'job.ts'), content)
    git(['add', '--all'])
    git(['commit', '--quiet', '--message', 'x'])
    return git(['rev-parse', 'HEAD'])
  }
  const from = save('one')
  const to = save('two')
  git(['reset', '--quiet', '--hard', from])
  rmSync(join(dir, 'job.ts'))
  execFileSync('mkfifo', [join(dir, 'job.ts')])
  const refused = await checkout(dir, { branch: 'main', from, to })
  assert.equal(refused.done, false)
  assert.ok(lstatSync(join(dir, 'job.ts')).isFIFO())
  rmSync(join(dir, 'job.ts'))
  git(['checkout', '--quiet', '--', 'job.ts'])
  assert.deepEqual(await checkout(dir, { branch: 'main', from, to }), { done: true })
  assert.equal(readFileSync(join(dir, 'job.ts'), 'utf8'), 'two')
})

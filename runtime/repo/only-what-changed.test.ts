import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openObjects } from '../git/objects/objects.ts'
import { checkout } from '../git/work-tree/checkout.ts'
import { commitStaged, stageCommit, stageFiles } from '../git/work-tree/commit.ts'
import { restoreFiles } from '../git/work-tree/restore.ts'
import { makePlan } from '../sync/plan.ts'
import {
  type Edit,
  editFiles,
  edits,
  gitIn,
  type Model,
  statusOf,
  tree,
  withEdits,
} from './random-trees.fixture.ts'

const runs = 60
/** Real git would check out packages. */
const plain: Model = new Map([['.gitignore', { mode: '100644', content: '*.log\n' }]])
const isPackage = (path: string) => path.split('/').includes('node_modules')
const editable = (model: Model, list: readonly Edit[]) =>
  // Packages and submodules are not edited here; and what is new and ignored is not committed.
  list.filter(
    ([path]) =>
      !isPackage(path) && model.get(path)?.mode !== '160000' && (model.has(path) || !path.includes('.log')),
  )
/** A tree, and an edited version of it. */
const pair = tree.chain(before => edits(before).map(list => ({ before, list: editable(before, list) })))

test('a commit of edited files differs from its parent only in those files', async t => {
  const { dir, run, commits, changed } = gitIn(t)
  const cases = fc.sample(pair, runs)
  const [start = '', ...made] = commits([{ model: plain }, ...cases.map(({ before }) => ({ model: before }))])
  run(['reset', '--quiet', '--hard', start])
  const pairs: [string, string][] = []
  const expected: string[][] = []
  let from = start
  for (const [i, { before, list }] of cases.entries()) {
    const parent = made[i] as string
    const done = await checkout(dir, { branch: 'main', from, to: parent })
    assert.deepEqual(done, { done: true }, `checkout of ${i}`)
    const idle = await stageFiles(dir)
    assert.deepEqual([...(idle.staged?.changes.keys() ?? [])], [], 'what was checked out is no change')
    const after = withEdits(before, list)
    editFiles(dir, before, after)
    const { staged, refused } = await stageFiles(dir)
    assert.equal(refused, null)
    from = staged ? await commitStaged(dir, staged, {}) : parent
    assert.equal((await stageFiles(dir)).staged, null, 'what was committed is no change any more')
    if (staged) pairs.push([parent, from])
    const words = statusOf(before, after)
    if (staged) expected.push(words)
    else assert.deepEqual(words, [])
  }
  assert.ok(pairs.length > runs / 2)
  assert.deepEqual(changed(pairs), expected)
  assert.equal(
    run(['status', '--porcelain', '--untracked-files=no']).toString(),
    '',
    'git sees no change either',
  )
  assert.equal(run(['fsck', '--strict', '--no-dangling', '--no-progress']).toString(), '')
})

test('a revert restores the exact tree, including entries that are not files', async t => {
  const { dir, run, commits, changed } = gitIn(t)
  const cases = fc.sample(tree, runs)
  cases.unshift(plain)
  const made = commits(cases.map(model => ({ model })))
  run(['reset', '--quiet', '--hard', made[0] as string])
  const objects = openObjects(dir)
  const pairs: [string, string][] = []
  const expected: string[][] = []
  let head = made[0] as string
  for (let i = 1; i < cases.length; i++) {
    const target = made[i] as string
    assert.equal(await restoreFiles(dir, target), null)
    const { staged } = await stageCommit(dir, target)
    if (!staged) continue
    const commit = await commitStaged(dir, staged, {})
    assert.equal(await objects.treeOf(commit), await objects.treeOf(target))
    assert.equal((await stageFiles(dir)).staged, null, 'nothing is left to commit')
    pairs.push([head, commit])
    expected.push(statusOf(cases[i - 1] as Model, cases[i] as Model))
    head = commit
  }
  assert.deepEqual(changed(pairs), expected)
  assert.equal(run(['status', '--porcelain', '--untracked-files=no']).toString(), '')
})

test('a merge differs from each side by the other’s changes, and its checkout leaves nothing to commit', async t => {
  const { dir, run, commits, changed } = gitIn(t)
  const both = tree.chain(base =>
    fc.tuple(edits(base), edits(base)).map(([mine, other]) => {
      const ours = withEdits(base, mine)
      const touched = statusOf(base, ours).map(word => JSON.parse(word.slice(2)) as string)
      const apart = other.filter(([path]) =>
        touched.every(each => each !== path && !each.startsWith(`${path}/`) && !path.startsWith(`${each}/`)),
      )
      const theirs = withEdits(base, apart)
      return { base, ours, theirs, merged: withEdits(ours, apart) }
    }),
  )
  const cases = fc.sample(both, runs)
  const made = commits(
    cases
      .flatMap(({ base, ours, theirs }, i): { model: Model; parent?: number }[] => [
        { model: base },
        { model: ours, parent: i * 3 },
        { model: theirs, parent: i * 3 },
      ])
      .concat({ model: plain }),
  )
  let from = made.at(-1) as string
  run(['reset', '--quiet', '--hard', from])
  const pairs: [string, string][] = []
  const expected: string[][] = []
  let merges = 0
  for (const [i, { base, ours, theirs, merged }] of cases.entries()) {
    const [our, their] = [made[i * 3 + 1] as string, made[i * 3 + 2] as string]
    assert.deepEqual(await checkout(dir, { branch: 'main', from, to: our }), { done: true })
    const plan = await makePlan(dir, {
      branch: 'main',
      theirs: their,
      last: null,
      pick: null,
      by: null,
      template: dir,
    })
    assert.notEqual(plan.kind, 'conflict', JSON.stringify(plan.files))
    assert.deepEqual(await checkout(dir, { branch: 'main', from: our, to: plan.target }), { done: true })
    assert.equal((await stageFiles(dir)).staged, null)
    from = plan.target
    if (plan.kind !== 'merged') continue
    merges++
    assert.deepEqual(statusOf(ours, merged), statusOf(base, theirs))
    pairs.push([our, plan.target])
    expected.push(statusOf(ours, merged))
    pairs.push([their, `${plan.target}`])
    expected.push(statusOf(theirs, merged))
  }
  assert.ok(merges > runs / 3, `${merges} merges`)
  const each = pairs.map((one, i) => ({ one, words: expected[i] as string[] }))
  for (const side of [0, 1]) {
    const part = each.filter((_, i) => i % 2 === side)
    assert.deepEqual(
      changed(part.map(({ one }) => one)),
      part.map(({ words }) => words),
    )
  }
})

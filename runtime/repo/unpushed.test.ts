import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openObjects } from '../git/objects/objects.ts'
import { unpushedSince } from '../git/work-tree/unpushed.ts'

test('unpushed commits are those not reachable from the remote, across branches and merges', async t => {
  const dir = temporaryFolder(t)
  const git = (args: string[], input = '') =>
    execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'ignore'] })
  git(['init', '--quiet', '-b', 'main'])
  // Three commits share each second, and each has one parent or two among the six before it.
  const parentsOf = (i: number) => {
    if (i === 0) return []
    const one = Math.max(0, i - 1 - ((i * 7) % 4))
    const other = Math.max(0, i - 1 - ((i * 5) % 6))
    return i % 4 === 0 && other !== one ? [one, other] : [one]
  }
  const count = 60
  const stream = Array.from({ length: count }, (_, i) => {
    const [from, merge] = parentsOf(i)
    const at = 1_700_000_000 + Math.floor(i / 3)
    return [
      `commit refs/heads/c${i}\nmark :${i + 1}\ncommitter Ada <ada@example.com> ${at} +0000\ndata <<E\nc${i}\n\nmore\nE`,
      from === undefined ? '' : `from :${from + 1}`,
      merge === undefined ? '' : `merge :${merge + 1}`,
      '',
    ]
      .filter((line, n) => line !== '' || n === 3)
      .join('\n')
  }).join('\n')
  git(['fast-import', '--quiet'], stream)
  const history = git(['log', '--all', '--format=%s %H %P']).trim().split('\n')
  const oids: string[] = []
  const parents = new Map<string, string[]>()
  for (const line of history) {
    const [subject = '', oid = '', ...rest] = line.split(' ')
    oids[Number(subject.slice(1))] = oid
    parents.set(oid, rest.filter(Boolean))
  }
  const reachable = (oid: string): Set<string> => {
    const found = new Set([oid])
    for (const each of found) for (const parent of parents.get(each) ?? []) found.add(parent)
    return found
  }
  const objects = openObjects(dir)
  let some = 0
  for (const head of oids) {
    for (const synced of oids) {
      const ours = [...reachable(head).difference(reachable(synced))]
      const { count: found, commits } = await unpushedSince(objects, head, synced)
      assert.equal(found, ours.length, `${head} without ${synced}`)
      if (found <= 20) assert.deepEqual(commits.map(({ commit }) => commit).sort(), ours.sort())
      some += found
    }
  }
  assert.ok(some > 100)
  const last = oids[count - 1] ?? ''
  const all = await unpushedSince(objects, last, null)
  assert.equal(all.count, reachable(last).size)
  assert.deepEqual(
    [all.commits[0]?.message, all.commits[0]?.author, all.commits[0]?.at],
    ['c59', 'Ada', 1_700_000_019_000],
  )
  // A commit of the remote that is not here tells nothing.
  assert.equal((await unpushedSince(objects, last, 'f'.repeat(40))).count, all.count)
  assert.equal((await unpushedSince(objects, last, last)).count, 0)
})

test('only commits between both heads are read', async () => {
  const commit = (n: number) => ({
    parent: n === 0 ? [] : [String(n - 1)],
    tree: '',
    message: `c${n}`,
    author: { name: 'Ada', email: '', timestamp: n, timezoneOffset: 0 },
    committer: { name: 'Ada', email: '', timestamp: n, timezoneOffset: 0 },
  })
  let reads = 0
  const objects = {
    commit: async (oid: string) => {
      reads++
      return commit(Number(oid))
    },
  }
  assert.equal((await unpushedSince(objects, '5000', '4990')).count, 10)
  assert.ok(reads < 20, `${reads} were read`)
})

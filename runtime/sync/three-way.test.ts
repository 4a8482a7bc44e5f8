import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { matchLines, mergeText } from '../git/merge/three-way.ts'

const base = 'a\nb\nc\nd\ne\n'

test('changes in different places are merged; changes in the same place conflict', () => {
  assert.equal(mergeText(base, base, base), base)
  assert.equal(mergeText(base, 'A\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n'), 'A\nb\nc\nd\nE\n')
  assert.equal(mergeText(base, 'b\nc\nd\ne\n', 'a\nb\nc\nd\ne\nf'), 'b\nc\nd\ne\nf')
  assert.equal(mergeText(base, 'a\nX\nc\nd\ne\n', 'a\nX\nc\nd\ne\n'), 'a\nX\nc\nd\ne\n')
  assert.equal(mergeText(base, 'a\nX\nc\nd\ne\n', 'a\nY\nc\nd\ne\n'), null)
  assert.equal(mergeText('', 'mine\n', 'yours\n'), null)
  assert.equal(mergeText('a\r\nb', 'a\r\nb\r\nc', 'a\r\nb\r\nc'), 'a\r\nb\r\nc')
})

const text = fc
  .array(fc.constantFrom('one', 'two', 'three', 'four', '{', '}', ''), { maxLength: 12 })
  .map(lines => lines.map(line => `${line}\n`).join(''))

test('lines are matched in order, as many as in the longest common subsequence', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 14 })
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const match = matchLines(a, b) ?? []
      const pairs = match.flatMap((j, i) => (j === -1 ? [] : [[i, j] as const]))
      pairs.forEach(([i, j], p) => {
        assert.equal(a[i], b[j])
        assert.ok(p === 0 || j > (pairs[p - 1]?.[1] ?? 0))
      })
      assert.equal(pairs.length, longestCommon(a, b))
    }),
    { numRuns: 2000 },
  )
})

function longestCommon(a: string[], b: string[]): number {
  const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = best[i] as number[]
      const below = best[i + 1] as number[]
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return best[0]?.[0] ?? 0
}

test('a merge with one unchanged side takes the other side', () => {
  fc.assert(
    fc.property(text, text, text, (base, ours, theirs) => {
      assert.equal(mergeText(base, base, theirs), theirs)
      assert.equal(mergeText(base, ours, base), ours)
      assert.equal(mergeText(base, ours, theirs), mergeText(base, theirs, ours))
    }),
    { numRuns: 2000 },
  )
})

test('git merges the same where both find no conflict', t => {
  const dir = temporaryFolder(t)
  let agreed = 0
  let tried = 0
  const edit = (content: string, at: number, line: string) => {
    const lines = content.split('\n')
    lines.splice(at % lines.length, 1, line)
    return lines.join('\n')
  }
  const body = Array.from({ length: 12 }, (_, i) => `line ${i}`).join('\n')
  fc.assert(
    fc.property(
      fc.nat(11),
      fc.nat(11),
      fc.constantFrom('x', 'y\nz'),
      fc.constantFrom('v', 'x'),
      (i, j, a, b) => {
        const sides = { base: `${body}\n`, ours: `${edit(body, i, a)}\n`, theirs: `${edit(body, j, b)}\n` }
        for (const [name, content] of Object.entries(sides)) writeFileSync(join(dir, name), content)
        const ours = mergeText(sides.base, sides.ours, sides.theirs)
        let theirs: string | null = null
        try {
          theirs = execFileSync('git', ['merge-file', '-p', 'ours', 'base', 'theirs'], {
            cwd: dir,
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
          })
        } catch {}
        tried++
        if (ours !== null && theirs !== null) {
          assert.equal(ours, theirs)
          agreed++
        }
        if (ours !== null) assert.notEqual(theirs, null, 'git sees a conflict here')
      },
    ),
    { numRuns: 100 },
  )
  assert.ok(agreed > tried / 2, `${agreed} of ${tried}`)
})

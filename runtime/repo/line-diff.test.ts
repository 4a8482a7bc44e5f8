import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { diffLines, type Hunk } from './line-diff.ts'

const words = (hunks: Hunk[]) =>
  hunks.map(({ before, after, lines }) => `@@ ${before} ${after}\n${lines.join('\n')}`).join('\n')

test('changed lines have three lines of context; distant changes are separate hunks', () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`)
  const after = [...before]
  after[1] = 'other'
  after.splice(15, 1)
  after.push('new')
  assert.equal(
    words(diffLines(`${before.join('\n')}\n`, `${after.join('\n')}\n`)),
    [
      '@@ 1 1\n line 1\n-line 2\n+other\n line 3\n line 4\n line 5',
      '@@ 13 13\n line 13\n line 14\n line 15\n-line 16\n line 17\n line 18\n line 19\n line 20\n+new',
    ].join('\n'),
  )
  assert.deepEqual(diffLines('same', 'same'), [])
  assert.equal(words(diffLines('', 'a\n')), '@@ 1 1\n+a')
  assert.equal(words(diffLines('a\nb\n', '')), '@@ 1 1\n-a\n-b')
})

test('the diff leads from one text to the other, and is as short as that of diff', t => {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-diff-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const text = fc.array(fc.constantFrom<string>('a', 'b', 'c', 'd', '', '-x', '+y'), { maxLength: 30 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      const join2 = (lines: string[]) => lines.map(line => `${line}\n`).join('')
      const hunks = diffLines(join2(a), join2(b))
      const made = [...a]
      for (const { before, lines } of [...hunks].reverse()) {
        const side = (mark: string) =>
          lines.filter(line => line[0] === ' ' || line[0] === mark).map(line => line.slice(1))
        assert.deepEqual(a.slice(before - 1, before - 1 + side('-').length), side('-'))
        made.splice(before - 1, side('-').length, ...side('+'))
      }
      assert.deepEqual(made, b)
    }),
    { numRuns: 500 },
  )
  const [a, b] = fc.sample(text, 2) as [string[], string[]]
  writeFileSync(join(dir, 'a'), a.map(line => `${line}\n`).join(''))
  writeFileSync(join(dir, 'b'), b.map(line => `${line}\n`).join(''))
  const theirs = spawnSync('diff', ['--minimal', 'a', 'b'], { cwd: dir, encoding: 'utf8' }).stdout
  const ours = diffLines(a.map(line => `${line}\n`).join(''), b.map(line => `${line}\n`).join(''))
  const edits = ours.flatMap(hunk => hunk.lines).filter(line => line[0] !== ' ').length
  assert.equal(edits, theirs.split('\n').filter(line => /^[<>]/.test(line)).length)
})

test('the diff of two large unrelated texts is found quickly', () => {
  const many = (word: string) => Array.from({ length: 5000 }, (_, index) => `${word} ${index}`).join('\n')
  const [hunk] = diffLines(many('a'), many('b'))
  assert.equal(hunk?.lines.length, 10_000)
})

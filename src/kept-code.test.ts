import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from './testing/folder.ts'

const loader = pathToFileURL(join(import.meta.dirname, 'kept-code.ts')).href

/** A program of a build, and what a start of it in a process of its own says. */
function program(t: TestContext, answer = '42') {
  const dir = temporaryFolder(t)
  const file = join(dir, 'program.cjs')
  const folder = join(dir, 'kept')
  mkdirSync(folder)
  const write = (text: string) =>
    writeFileSync(
      file,
      `(function(exports,require,module,__filename,__dirname){"use strict";const f=()=>${text};console.log(f(),require('node:path').basename(__dirname)===${JSON.stringify(dir.split('/').at(-1))})})`,
    )
  write(answer)
  const start = (flags: string[] = [], kept = folder) => {
    const code = `const { compileProgram } = await import(${JSON.stringify(loader)})
const program = compileProgram(${JSON.stringify(file)}, ${JSON.stringify(kept)})
program.run()
console.log(program.wasKept, program.wasKept || program.keep())`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...flags, '--input-type=module', '--eval', code],
      { encoding: 'utf8', env: { PATH: process.env.PATH } },
    )
    assert.equal(stderr, '')
    return stdout.trim().split('\n').join(' ')
  }
  const files = () => readdirSync(folder)
  const only = () => {
    assert.equal(files().length, 1)
    return join(folder, files()[0] ?? '')
  }
  return { dir, file, folder, write, start, files, only }
}

const compiled = (answer: string) => `${answer} true false true`
const taken = (answer: string) => `${answer} true true true`

test('the second start takes what the first one kept', t => {
  const { start, only } = program(t)
  assert.equal(start(), compiled('42'))
  const first = readFileSync(only())
  assert.equal(start(), taken('42'))
  assert.deepEqual(readFileSync(only()), first)
})

test('what was made of another program of the same length is not taken, even under the name of this one', t => {
  const { write, start, only, files, folder } = program(t)
  start()
  const other = readFileSync(only())
  write('43')
  assert.equal(start(), compiled('43'))
  assert.equal(files().length, 2)
  for (const name of files()) writeFileSync(join(folder, name), other)
  assert.equal(start(), compiled('43'))
  assert.equal(start(), taken('43'))
})

test('code that is damaged, cut, empty or no code is not taken, and is replaced', t => {
  const { start, only } = program(t)
  start()
  const good = readFileSync(only())
  const wrong: Record<string, () => void> = {
    damaged: () =>
      writeFileSync(
        only(),
        good.map((byte, at) => (at === good.length >> 1 ? byte ^ 1 : byte)),
      ),
    'without its end': () => truncateSync(only(), good.length - 7),
    'of three bytes': () => truncateSync(only(), 3),
    empty: () => truncateSync(only(), 0),
    'something else': () => writeFileSync(only(), 'x'.repeat(good.length)),
  }
  for (const [name, spoil] of Object.entries(wrong)) {
    spoil()
    assert.equal(start(), compiled('42'), name)
    assert.equal(start(), taken('42'), name)
  }
})

test('code that was made under other flags of V8 is not taken, and both are kept', t => {
  const { start, files } = program(t)
  start()
  assert.equal(start(['--no-opt']), compiled('42'))
  assert.equal(files().length, 2)
  assert.equal(start(), taken('42'))
  assert.equal(start(['--no-opt']), taken('42'))
})

test('a program starts where nothing can be kept', t => {
  const { start, file, dir } = program(t)
  assert.equal(start([], join(dir, 'missing')), '42 true false false')
  assert.equal(start([], file), '42 true false false')
  // Not writable, not even for root.
  assert.equal(start([], '/proc/self'), '42 true false false')
  assert.ok(!existsSync(join(dir, 'missing')))
})

test('stack traces name places of the built file, and those of the sources where source maps are on', t => {
  const { file, start, dir } = program(t)
  const text = `(function(exports,require,module,__filename,__dirname){"use strict";\nfunction far(){return new Error('x').stack.split('\\n')[1]}console.log(far())})\n//# sourceMappingURL=program.cjs.map\n`
  writeFileSync(file, text)
  writeFileSync(
    join(dir, 'program.cjs.map'),
    // Of line 2, all is line 7 of the source.
    JSON.stringify({ version: 3, sources: ['source.ts'], names: [], mappings: ';AAMA' }),
  )
  assert.ok(start().includes(`${file}:2:`))
  assert.ok(start(['--enable-source-maps']).includes(join(dir, 'source.ts:7:')))
})

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { largestFileBytes } from './contract.ts'
import { acceptIn } from './file-path.ts'
import { openFiles } from './files.ts'

function startFiles(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-files-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(join(jobsDir, '.git'), { recursive: true })
  writeFileSync(join(dir, 'longhouse.db'), 'secret')
  writeFileSync(join(jobsDir, '.git/config'), '[core]')
  writeFileSync(join(jobsDir, 'manifest.ts'), 'first')
  return { dir, jobsDir, files: openFiles({ dir, jobsDir }) }
}

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code

test('a file is created with its folders, read, changed, renamed and deleted', t => {
  const { files, jobsDir, dir } = startFiles(t)
  const made = files.write('jobs/deep/report.ts', 'one', null)
  assert.deepEqual(files.read('jobs/deep/report.ts'), made)
  writeFileSync(join(jobsDir, 'run.sh'), 'x', { mode: 0o755 })
  files.write('run.sh', 'y')
  assert.equal(statSync(join(jobsDir, 'run.sh')).mode & 0o777, 0o755)
  const changed = files.write('jobs/deep/report.ts', 'zwölf', made.hash)
  assert.notEqual(changed.hash, made.hash)
  files.rename('jobs/deep/report.ts', 'other/report.ts', changed.hash)
  assert.equal(existsSync(join(jobsDir, 'jobs')), false, 'empty folders go')
  assert.deepEqual(
    files.list().files.map(file => file.path),
    ['manifest.ts', 'other/report.ts', 'run.sh'],
  )
  files.remove('other/report.ts', changed.hash)
  assert.throws(() => files.read('other/report.ts'), refused('unknown-file'))
  assert.deepEqual(readdirSync(dir).sort(), ['jobs', 'longhouse.db'], 'nothing is left beside')
})

test('a file that changed meanwhile is not overwritten', t => {
  const { files, jobsDir } = startFiles(t)
  const { hash } = files.read('manifest.ts')
  writeFileSync(join(jobsDir, 'manifest.ts'), 'somebody else')
  assert.throws(() => files.write('manifest.ts', 'mine', hash), refused('file-changed'))
  assert.throws(() => files.write('manifest.ts', 'mine', null), refused('file-exists'))
  assert.throws(() => files.remove('manifest.ts', hash), refused('file-changed'))
  assert.throws(() => files.rename('manifest.ts', 'x.ts', hash), refused('file-changed'))
  assert.equal(readFileSync(join(jobsDir, 'manifest.ts'), 'utf8'), 'somebody else')
  files.write('a.ts', '')
  assert.throws(() => files.rename('a.ts', 'manifest.ts'), refused('file-exists'))
  rmSync(join(jobsDir, 'manifest.ts'))
  assert.throws(() => files.write('manifest.ts', 'mine', hash), refused('file-changed'))
})

test('no path reaches outside the repo, git’s files or packages', t => {
  const { files, jobsDir, dir } = startFiles(t)
  symlinkSync(dir, join(jobsDir, 'up'))
  symlinkSync(join(dir, 'longhouse.db'), join(jobsDir, 'link.ts'))
  symlinkSync(join(dir, 'nowhere'), join(jobsDir, 'dangling.ts'))
  const paths = [
    ...[
      '',
      '/etc/passwd',
      '../longhouse.db',
      'a/../../longhouse.db',
      './a',
      'a//b',
      'a/',
      '..',
      'a\\b',
      'a\0b',
    ],
    ...['.git/config', '.GIT/config', 'a/.git/hooks/x', 'node_modules/a.js', 'up/longhouse.db', 'up/new.ts'],
    ...['manifest.ts/x', ' a.ts', 'x'.repeat(301), `${'x'.repeat(256)}.ts`, 'a\nb'],
  ]
  for (const path of paths) {
    for (const act of [
      () => files.read(path),
      () => files.write(path, 'x'),
      () => files.remove(path),
      () => files.rename('manifest.ts', path),
      () => files.rename(path, 'other.ts'),
    ]) {
      assert.throws(act, refused('refused-path'), JSON.stringify(path))
    }
  }
  for (const path of ['link.ts', 'dangling.ts']) {
    assert.throws(() => files.read(path), refused('uneditable'))
    assert.throws(() => files.write(path, 'x'), refused('uneditable'))
  }
  assert.equal(readFileSync(join(dir, 'longhouse.db'), 'utf8'), 'secret')
  assert.equal(existsSync(join(dir, 'nowhere')), false)
  assert.equal(files.list().files.find(file => file.path === 'link.ts')?.editable, false)
})

test('binary content and too much text are refused with a reason', t => {
  const { files, jobsDir } = startFiles(t)
  writeFileSync(join(jobsDir, 'picture.png'), Buffer.from([0x89, 0x50, 0, 1]))
  writeFileSync(join(jobsDir, 'latin.txt'), Buffer.from([0x61, 0xe4]))
  writeFileSync(join(jobsDir, 'large.csv'), 'x'.repeat(largestFileBytes + 1))
  for (const name of ['picture.png', 'latin.txt']) {
    assert.throws(() => files.read(name), { detail: `"${name}" is not UTF-8 text.` })
  }
  assert.throws(() => files.read('large.csv'), refused('file-too-large'))
  assert.throws(() => files.write('new.csv', 'ä'.repeat(largestFileBytes / 2 + 1)), refused('file-too-large'))
  assert.throws(() => files.write('new.ts', 'a\0'), refused('uneditable'))
  assert.equal(existsSync(join(jobsDir, 'new.csv')), false)
})

test('a folder that a job swaps for a link during an operation is not followed', t => {
  const { dir, jobsDir } = startFiles(t)
  const keys = join(dir, 'keys')
  mkdirSync(join(keys, 'deep'), { recursive: true })
  writeFileSync(join(keys, 'secret'), 'secret')
  mkdirSync(join(keys, 'empty'))
  const data = join(jobsDir, 'data')
  const reset = () => {
    rmSync(data, { recursive: true, force: true })
    mkdirSync(join(data, 'deep/empty'), { recursive: true })
    writeFileSync(join(data, 'secret'), 'mine')
    writeFileSync(join(data, 'deep/empty/last'), 'mine')
  }
  const swap = (target = keys) => {
    rmSync(data, { recursive: true })
    symlinkSync(target, data)
  }
  const look = acceptIn(jobsDir)
  const files = openFiles({ dir, jobsDir }, path => {
    look(path)
    if (path.startsWith('data/')) swap()
  })
  const outside = () => readdirSync(keys, { recursive: true }).sort()
  const before = outside()
  const { hash } = openFiles({ dir, jobsDir: keys }).read('secret')
  for (const [what, act, code] of [
    ['read', () => files.read('data/secret'), 'unknown-file'],
    ['write', () => files.write('data/secret', 'x'), 'refused-path'],
    ['write what is the same', () => files.write('data/secret', 'x', hash), 'file-changed'],
    ['write a new one', () => files.write('data/new', 'x', null), 'refused-path'],
    ['write below', () => files.write('data/deep/new', 'x'), 'refused-path'],
    ['write with folders', () => files.write('data/a/b/new', 'x'), 'refused-path'],
    ['remove', () => files.remove('data/secret'), 'unknown-file'],
    ['rename from', () => files.rename('data/secret', 'mine'), 'unknown-file'],
    ['rename to', () => files.rename('manifest.ts', 'data/taken'), 'refused-path'],
  ] as const) {
    reset()
    assert.throws(act, refused(code), what)
    assert.deepEqual(outside(), before, what)
    assert.equal(readFileSync(join(keys, 'secret'), 'utf8'), 'secret', what)
  }
  assert.equal(existsSync(join(jobsDir, 'mine')), false)
  assert.equal(existsSync(join(jobsDir, 'manifest.ts')), true)
  assert.deepEqual(readdirSync(dir).sort(), ['jobs', 'keys', 'longhouse.db'])

  // A file that becomes a link, a pipe or a folder is checked again too.
  const late = openFiles({ dir, jobsDir }, () => {})
  reset()
  for (const name of ['link', 'dangling']) symlinkSync(join(keys, name), join(data, name))
  symlinkSync(join(keys, 'secret'), join(data, 'to-secret'))
  for (const name of ['to-secret', 'link', 'dangling', 'deep']) {
    assert.throws(() => late.read(`data/${name}`), refused('uneditable'), name)
    assert.throws(() => late.write(`data/${name}`, 'x'), refused('uneditable'), name)
    assert.throws(() => late.remove(`data/${name}`), refused('uneditable'), name)
    assert.throws(() => late.rename(`data/${name}`, 'mine'), refused('uneditable'), name)
    assert.throws(() => late.rename('manifest.ts', `data/${name}`), refused('uneditable'), name)
  }
  assert.deepEqual(outside(), before)

  // The door opens for what is a folder.
  assert.equal(late.read('data/secret').content, 'mine')
  late.write('data/secret', 'new')
  late.rename('data/deep/empty/last', 'data/last')
  assert.equal(existsSync(join(data, 'deep')), false)
  late.remove('data/last')
  assert.deepEqual(readdirSync(data).sort(), ['dangling', 'link', 'secret', 'to-secret'])
})

test('without a jobs folder nothing is read or written', t => {
  const { dir, jobsDir, files } = startFiles(t)
  rmSync(jobsDir, { recursive: true })
  assert.throws(() => files.read('a.ts'), refused('unknown-file'))
  assert.throws(() => files.remove('a.ts'), refused('unknown-file'))
  assert.throws(() => files.write('a.ts', 'x'), refused('refused-path'))
  assert.deepEqual(files.list(), { files: [], more: false })
  assert.deepEqual(readdirSync(dir), ['longhouse.db'])
})

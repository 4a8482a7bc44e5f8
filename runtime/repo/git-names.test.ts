import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, startInstance } from '../engine.fixture.ts'
import { isDotGit } from '../git/objects/git-names.ts'
import { postJson, startWeb } from '../web/web.fixture.ts'

/** Git takes each for `.git`, here or on another system. */
const refused = [
  ...['.git', '.GIT', '.Git', '.git.', '.git ', '.git. . ', '.git..', 'git~1', 'GIT~1', 'git~1.', 'git~1 '],
  ...[
    '.git::$INDEX_ALLOCATION',
    '.git:x',
    'git~1:x',
    '.g\u200cit',
    '\ufeff.git',
    '.gi\u202et',
    '.\u206fGiT',
    'x\\.git',
  ],
]
const fine = [
  '.gitignore',
  '.github',
  'git',
  'git~2',
  'git~10',
  '.git-x',
  '.gitx.',
  'x.git',
  '.gi t',
  'a\\b',
  '.g\u0131t',
]

test('a name is refused if and only if git refuses it', t => {
  const dir = temporaryFolder(t)
  const git = (args: string[], input = '') =>
    execFileSync('git', ['-c', 'core.protectNTFS=true', '-c', 'core.protectHFS=true', ...args], {
      cwd: dir,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
      .toString()
      .trim()
  git(['init', '--quiet'])
  const blob = git(['hash-object', '-w', '--stdin'], 'x')
  for (const name of [...refused, ...fine]) {
    let taken = true
    try {
      git(['update-index', '-z', '--add', '--index-info'], `100644 ${blob}\t${name}\0`)
      taken = git(['ls-files', '-z']).split('\0').includes(name)
    } catch {
      taken = false
    }
    assert.equal(!taken, refused.includes(name), `git and ${JSON.stringify(name)}`)
    assert.equal(isDotGit(name), refused.includes(name), JSON.stringify(name))
  }
})

test('the API refuses such a name for saving, checking and moving, and writes nothing', async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob("() => 'fine'") } })
  const Cookie = await signIn()
  for (const name of ['.git.', 'git~1', '.g\u200cit', '.git::$INDEX_ALLOCATION']) {
    for (const path of [`${name}/config`, `jobs/${name}`]) {
      const at = `/api/jobs/repo/files/${path.split('/').map(encodeURIComponent).join('/')}`
      const saved = await app.request(at, {
        method: 'PUT',
        body: JSON.stringify({ content: 'x' }),
        headers: { Cookie },
      })
      assert.equal(saved.status, 422, path)
      const { detail } = (await saved.json()) as { detail: string }
      assert.match(detail, /git treats as \.git/)
      const renamed = await postJson(
        app,
        '/api/jobs/repo/rename',
        { from: 'manifest.ts', to: path },
        { Cookie },
      )
      assert.equal(renamed.status, 422)
      const checked = await postJson(app, '/api/jobs/repo/check', { path, content: 'x' }, { Cookie })
      assert.equal(checked.status, 422)
      assert.equal(existsSync(instance.path(name)), false)
    }
  }
})

test('a folder with such a name stops no commit, and the repo names it', async t => {
  const { engine, path, write } = await startInstance(t, { files: { 'manifest.ts': oneJob("() => 'fine'") } })
  mkdirSync(path('git~1'))
  writeFileSync(path('git~1/config'), 'x')
  mkdirSync(path('cloned/.git'), { recursive: true })
  writeFileSync(path('cloned/file'), 'x')
  write('notes.txt', 'kept')
  write('manifest.ts', oneJob("() => 'changed'"))
  await engine.reload()
  const repo = await engine.repo()
  assert.deepEqual([repo.dirty, repo.obstacle], [false, null])
  assert.deepEqual(repo.notCommitted, [
    { path: 'cloned', kind: 'repository' },
    { path: 'git~1', kind: 'name' },
  ])
  const listed = execFileSync('git', ['ls-tree', '-r', '--name-only', 'HEAD'], { cwd: join(path('.')) })
  assert.equal(listed.toString(), 'manifest.ts\nnotes.txt\n')
})

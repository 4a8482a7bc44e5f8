import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { say } from '../../../cli/command.fixture.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { startInstance } from '../../engine.fixture.ts'
import type { ManifestError } from '../contract.ts'
import { drafts, filesBefore } from './drafts.fixture.ts'

const by = { name: 'A person', email: 'person@example.com' }

test('a check on the page and one by the command say what a save says', async t => {
  const { engine, path, write } = await startInstance(t, { files: filesBefore })
  for (const [name, { before, file, content, refused = null }] of Object.entries(drafts)) {
    const files = { ...filesBefore, ...before }
    for (const entry of readdirSync(path('.')))
      if (entry !== '.git') rmSync(path(entry), { recursive: true, force: true })
    for (const [each, text] of Object.entries(files)) write(each, text)
    await engine.reload()

    const checked = await engine.check(file, content)
    const clone = join(temporaryFolder(t), 'jobs')
    for (const [each, text] of Object.entries({ ...files, [file]: content })) {
      mkdirSync(dirname(join(clone, each)), { recursive: true })
      writeFileSync(join(clone, each), text)
    }
    const { out } = await say(t, clone, ['check', '--json'])
    const byCommand = (JSON.parse(out) as { errors: ManifestError[] }).errors
    const { errors: saved } = await engine.edit({ message: '', by }, () => {
      engine.files.write(file, content)
    })

    const [first] = saved
    const place = first ? [first.file, first.line].filter(part => part !== null).join(':') : null
    assert.equal(place, refused, `${name}: ${JSON.stringify(saved)}`)
    assert.deepEqual(checked.errors, saved, `check of ${name}`)
    // An instance says in its own words what is wrong with package.json, before it installs packages.
    if (refused?.startsWith('package.json')) assert.equal(byCommand[0]?.file, 'package.json', name)
    else assert.deepEqual(byCommand, saved.map(inClone), `command for ${name}`)
  }
})

/** In a clone, people install packages themselves. */
function inClone(error: ManifestError): ManifestError {
  const message = error.message.replace(
    /the package "([^"]+)"; add it to "dependencies" in package.json and save: it is installed here then$/,
    'the package "$1"; add it to "dependencies" in package.json: npm install $1',
  )
  return { ...error, message }
}

test('a check of a file that is not code works on a copy, and leaves nothing behind', async t => {
  const { engine, dir, path, write } = await startInstance(t, {
    files: { ...filesBefore, 'jobs.json': '["a"]' },
  })
  write(
    'manifest.ts',
    `import { jobRegistry } from 'longhouse/jobs'
import { readFileSync } from 'node:fs'
import { run } from './jobs/job.ts'
for (const id of JSON.parse(readFileSync('jobs.json', 'utf8'))) jobRegistry.register({ id, cron: '@daily', func: run })
`,
  )
  await engine.reload()
  const { errors, difference } = await engine.check('jobs.json', '["a", "b", "c"]')
  assert.deepEqual([errors, difference?.added], [[], 2])
  assert.deepEqual(
    engine.jobs().map(job => job.id),
    ['a'],
  )
  assert.deepEqual(readdirSync(join(dir, 'checks')), [])
  assert.deepEqual(readdirSync(path('.')).sort(), [
    '.git',
    // Where modules may write while they are loaded.
    'data',
    ...['jobs', 'jobs.json', 'manifest.ts', 'node_modules', 'package.json'],
  ])
})

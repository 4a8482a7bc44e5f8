import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programRoot } from '../../src/root.ts'
import { oneJob, registry, startInstance } from '../engine.fixture.ts'
import { startWatched } from '../notices/notices.fixture.ts'
import { type ErrorKind, errorFiles, errorKinds } from './error-kinds.fixture.ts'

const manifestOf = (kinds: Record<string, ErrorKind>) =>
  registry +
  Object.entries(kinds)
    .map(([id, { code, fields = '' }]) => {
      const name = code.includes('export default') ? `${id}_` : `{ ${id} as ${id}_ }`
      return `import ${name} from './jobs/${id}.ts'\njobRegistry.register({ id: '${id}', cron: '@yearly', ${fields} func: ${id}_ })\n`
    })
    .join('')

test('every kind of error has the names and places of the customer’s code, and no path of the host', async t => {
  const files: Record<string, string> = { ...errorFiles, 'manifest.ts': manifestOf(errorKinds) }
  for (const [id, { code }] of Object.entries(errorKinds)) files[`jobs/${id}.ts`] = `${code}\n`
  const { instance, inbox, hook, round } = await startWatched(t, { files })
  for (const [id, { message, frames }] of Object.entries(errorKinds)) {
    const { error } = await instance.ended(instance.engine.run(id, { trigger: 'api' }).id)
    if (typeof message === 'string') assert.equal(error?.message, message, id)
    else assert.match(error?.message ?? '', message, id)
    const found = [...(error?.stack ?? '').matchAll(/^ +at (.*)$/gm)].map(match => match[1])
    assert.deepEqual(found, frames, `${id}: ${error?.stack}`)
    if (id === 'address') continue
    for (const path of [instance.dir, programRoot()]) assert.ok(!JSON.stringify(error).includes(path), id)
  }
  await round()
  const sent = [
    ...inbox.mails.map(mail => mail.text.replaceAll('=\r\n', '')),
    ...hook.calls.map(call => call.body),
  ]
  assert.equal(sent.length, 2 * Object.keys(errorKinds).length)
  const others = sent.filter(text => !text.includes('GET https://example.com'))
  for (const text of others) assert.ok(!text.includes(instance.dir) && !text.includes(programRoot()), text)
})

test('an error that a job prints has no frames of the runtime', async t => {
  const { run, engine } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob(`async function report() {
        console.error(new Error('at once'))
        await new Promise(done => setTimeout(done, 1))
        console.trace('later')
      }`),
    },
  })
  const log = engine.log((await run('job')).id)
  assert.equal(log.match(/at (async )?report \(.*\/jobs\/manifest\.ts:\d+:\d+\)/g)?.length, 2, log)
  assert.ok(!log.includes(programRoot()), log)
})

test('an error of the manifest has no path of the host', async t => {
  const broken: Record<string, [Record<string, string>, RegExp]> = {
    'thrown text': [{ 'manifest.ts': "throw 'words of ' + import.meta.filename" }, /words of manifest\.ts$/],
    'thrown null': [{ 'manifest.ts': 'throw null' }, /null/],
    'bad JSON': [
      {
        'manifest.ts':
          "import fs from 'node:fs'\nJSON.parse(fs.readFileSync(import.meta.dirname + '/a.json', 'utf8'))",
      },
      /^Error: ENOENT: no such file or directory, open 'a\.json'$/,
    ],
    'computed import': [
      { 'manifest.ts': "const name = './gone.ts'\nawait import(name)" },
      /Cannot find module 'gone\.ts' imported from manifest\.ts$/,
    ],
    'an import from above': [
      { 'manifest.ts': "import '../outside.ts'" },
      /^imports "\.\.\/outside\.ts", which lies outside the jobs repo/,
    ],
    'settings from above': [
      { 'manifest.ts': '', 'tsconfig.json': '{ "extends": "../outside.json" }' },
      /^extends "\.\.\/outside\.json"/,
    ],
    'text in place of code': [{ 'manifest.ts': 'const = 1' }, /^Expected identifier but found "="$/],
    'a rejection': [{ 'manifest.ts': 'void Promise.reject(new Error(process.cwd()))' }, /^Error: \.$/],
    'an exit': [{ 'manifest.ts': 'process.exit(4)' }, /process\.exit\(4\) was called/],
    'a crash': [{ 'manifest.ts': 'process.abort()' }, /was ended by SIGABRT/],
  }
  for (const [name, [files, message]] of Object.entries(broken)) {
    const { engine, dir } = await startInstance(t, { files })
    const { errors } = engine.manifest()
    assert.match(errors[0]?.message ?? '', message, name)
    const text = JSON.stringify(errors)
    assert.ok(!text.includes(dir) && !text.includes(programRoot()), `${name}: ${text}`)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { walkForms } from '../../src/testing/forms.ts'
import { unfitNames } from '../../src/testing/names.ts'
import { registry } from '../engine.fixture.ts'
import { postForm, startWeb } from './web.fixture.ts'

test('the accessible name of each control starts with its visible text, on every page', async t => {
  const job = (id: string) =>
    `jobRegistry.register({ id: '${id}', cron: '@daily', func: ({ state }) => state.set('last', 1), secrets: ['KEY'] })\n`
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': registry + job('one') + job('two'), 'jobs/note.txt': 'a note' },
  })
  const Cookie = await signIn()
  await postForm(app, '/secrets', { name: 'KEY', value: 'a-long-value' }, { Cookie })
  await postForm(app, '/api/tokens', { name: 'script', scope: 'read' }, { Cookie })
  assert.equal((await instance.run('one')).status, 'succeeded')
  await postForm(app, '/api/jobs/two/disable', {}, { Cookie })
  const faults: string[] = []
  const named = new Set<string>()
  const { pages } = await walkForms(app, {
    host: 'acme.example.com',
    start: ['/', '/login', '/jobs/one', '/runs', '/repo', '/repo/files?folder=jobs', '/secrets', '/tokens'],
    headers: { Cookie },
    onPage: (page, html) => {
      faults.push(...unfitNames(html).map(fault => `${page}: ${fault}`))
      for (const [, about] of html.matchAll(/<span class="unseen"> ([^<]+)<\/span>/g))
        named.add(about as string)
    },
  })
  assert.deepEqual(faults, [])
  assert.ok(pages.length > 15, pages.join(' '))
  // Buttons with the same text have different names.
  for (const about of ['one', 'two', 'KEY', 'script', 'the state of one']) assert.ok(named.has(about), about)
})

test('a name that does not start with the visible text is found', () => {
  assert.deepEqual(unfitNames('<button aria-label="Run daily-digest now">Run now</button>'), [
    '“run now” is called “run daily-digest now”',
  ])
  assert.deepEqual(
    unfitNames('<a href="/" aria-label="Replace KEY">Replace<span class="unseen"> x</span></a>'),
    [],
  )
  assert.deepEqual(
    unfitNames('<input type="search" aria-label="Search jobs by id" placeholder="Search by id">'),
    ['“search by id” is called “search jobs by id”'],
  )
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { registry, startInstance, until } from '../../engine.fixture.ts'
import { browser, startWeb } from '../../web/web.fixture.ts'

// What a run tells is masked; spaced out it is not.
const spaced = (value: string) => [...value].join('.')
const seen = `({ secrets }) => ({
  given: Object.entries(secrets).map(([name, value]) => [name, spaced(value)]),
  env: { token: spaced(process.env.API_TOKEN ?? ''), other: process.env.OTHER ?? null },
  argv: process.argv.join(' '),
})`
const job = (id: string, secrets: string, func = seen) =>
  `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func}, secrets: ${secrets} })\n`

test('a run gets the secrets that its job declares, and no others', async t => {
  const { engine, run } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}import { writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
const atTheTop = process.env.API_TOKEN
const spaced = (value: string) => [...value].join('.')
${job('wants', "['API_TOKEN']")}${job('nothing', '[]')}
${job('top', "['API_TOKEN']", '() => spaced(atTheTop)')}
${job('child', "['API_TOKEN']", "() => spaced(spawnSync('printenv', ['API_TOKEN']).stdout.toString().trim())")}
${job('undeclared', "['API_TOKEN']", '({ secrets }) => secrets.OTHER')}`,
    },
  })
  engine.secrets.set('API_TOKEN', 'a value to keep')
  engine.secrets.set('OTHER', 'not for them')

  const { result } = (await run('wants')) as { result: Record<string, unknown> }
  assert.deepEqual(result.given, [['API_TOKEN', spaced('a value to keep')]])
  assert.deepEqual(result.env, { token: spaced('a value to keep'), other: null })
  assert.ok(!String(result.argv).includes('a value to keep'))
  const none = (await run('nothing')).result as Record<string, unknown>
  assert.deepEqual([none.given, none.env], [[], { token: '', other: null }])
  assert.equal((await run('top')).result, spaced('a value to keep'))
  assert.equal((await run('child')).result, spaced('a value to keep'))
  const refused = await run('undeclared')
  assert.equal(refused.status, 'failed')
  assert.match(refused.error?.message ?? '', /does not declare the secret OTHER/)
})

test('a run with a missing secret fails with a reason before the job’s code runs', async t => {
  const { engine, run, path } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}import { existsSync, writeFileSync } from 'node:fs'
${job('wants', "['API_TOKEN', 'SECOND']", "() => { writeFileSync('data/was-here', ''); return 'ran' }")}${job('other', '[]', '() => 1')}`,
    },
  })
  engine.secrets.set('SECOND', 'set')
  assert.deepEqual(engine.job('wants')?.missingSecrets, ['API_TOKEN'])
  const failed = await run('wants')
  assert.equal(failed.status, 'failed')
  assert.equal(
    failed.error?.message,
    'the run was not started, because the secret API_TOKEN is not set or can no longer be read; set it at /secrets',
  )
  assert.throws(() => readFileSync(path('data/was-here')), /ENOENT/)
  assert.equal((await run('other')).status, 'succeeded', 'others go on')

  engine.secrets.set('API_TOKEN', 'now it is')
  assert.deepEqual(engine.job('wants')?.missingSecrets, [])
  assert.equal((await run('wants')).result, 'ran')
})

test('a missing secret is shown before the job is due: on its page, in the list, on the secrets page and in the API', async t => {
  const { app, instance, signIn } = await startWeb(t, {
    files: { 'manifest.ts': `${registry}${job('wants', "['API_TOKEN']")}` },
  })
  const Cookie = await signIn()
  const page = async (path: string) => (await app.request(path, { headers: { ...browser, Cookie } })).text()
  const api = async (path: string) => (await app.request(path, { headers: { Cookie } })).json()
  const link = /href="\/secrets\?name=API_TOKEN#set"/
  assert.match(await page('/jobs/wants'), /A secret is missing/)
  assert.match(await page('/jobs/wants'), link)
  assert.match(await page('/'), /Secret missing/)
  assert.match(await page('/'), link)
  assert.match(await page('/secrets'), /is needed by wants, but not set/)
  const { jobs } = (await api('/api/jobs')) as { jobs: Record<string, unknown>[] }
  assert.deepEqual([jobs[0]?.secrets, jobs[0]?.missing_secrets], [['API_TOKEN'], ['API_TOKEN']])

  instance.engine.secrets.set('API_TOKEN', 'a value to keep')
  assert.ok(!(await page('/jobs/wants')).includes('secret is missing'))
  assert.ok(!(await page('/')).includes('Secret missing'))
  const after = (await api('/api/jobs')) as { jobs: Record<string, unknown>[] }
  assert.deepEqual(after.jobs[0]?.missing_secrets, [])
})

test('an invalid list of secrets is reported with file and line', async t => {
  const { engine, write } = await startInstance(t, { files: { 'manifest.ts': registry } })
  for (const [list, words] of [
    ["'API_TOKEN'", /secrets must be a list of names such as \['API_TOKEN'\]/],
    ["['token']", /secrets 0 must consist of capital letters, digits and _/],
    ['[7]', /secrets 0 must be text/],
    ["['A', 'A']", /secrets names a secret twice/],
    ["['PATH']", /secrets 0 is a name that means something to programs/],
    ["['NODE_OPTIONS']", /secrets 0 is a name that means something to programs/],
  ] as const) {
    write('manifest.ts', registry + job('wants', list))
    const error = await until(
      () => engine.manifest().errors.find(({ message }) => words.test(message)),
      `the error says: ${words}`,
    )
    assert.deepEqual([error.file, error.line], ['manifest.ts', 2])
  }
})

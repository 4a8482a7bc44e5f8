import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programRoot } from '../../../src/root.ts'
import { setClock } from '../../../src/testing/clock.ts'
import { startInstance, until } from '../../engine.fixture.ts'
import { startRegistry } from '../registry.fixture.ts'

const asks = (dependencies: Record<string, string>) =>
  JSON.stringify({ name: 'jobs', private: true, type: 'module', dependencies })

const texts = { '1.0.0': 'one', '2.0.0': 'two', '3.0.0': 'three' }

async function greetings(t: TestContext) {
  const registry = await startRegistry(t)
  for (const [version, text] of Object.entries(texts))
    registry.publish('greeting', version, { 'index.js': `export const text = '${text}'` })
  registry.publish('slow', '1.0.0', { 'index.js': '' })
  return registry
}

/** An instance whose repo has an installation, and in the repo npm, run by hand, which waits for a package. */
async function npmAtWork(t: TestContext, options: Parameters<typeof startInstance>[1] = {}) {
  const registry = await greetings(t)
  const instance = await startInstance(t, {
    ...options,
    files: {
      '.npmrc': `registry=${registry.url}/\n`,
      'package.json': asks({ greeting: '1.0.0' }),
      'jobs/job.ts': `import { text } from 'greeting'\nexport const run = () => text\n`,
      'manifest.ts': `import { run } from './jobs/job'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: run })
`,
    },
  })
  const { path, dir, engine } = instance
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.equal(lstatSync(path('node_modules')).isSymbolicLink(), true)

  const ofPerson = await greetings(t)
  ofPerson.answers(false, /^\/slow\/-\//)
  const npm = spawn(
    process.execPath,
    [
      programRoot('node_modules/npm/bin/npm-cli.js'),
      ...['install', 'greeting@2.0.0', 'slow@1.0.0', '--save-exact', '--no-audit'],
      ...['--cache', join(dir, 'by-hand'), '--registry', ofPerson.url],
    ],
    { cwd: path(''), stdio: 'ignore' },
  )
  const ended = once(npm, 'exit')
  t.after(() => npm.kill('SIGKILL'))
  await until(() => ofPerson.asked.includes('GET /slow/-/1.0.0.tgz'), 'npm waits for a package')
  const folder = () => {
    const status = lstatSync(path('node_modules'))
    return status.isDirectory() ? status.ino : null
  }
  const begun = folder()
  assert.notEqual(begun, null, 'npm replaced the link by a folder of its own')
  const result = async () => (await instance.run('job')).result
  const waiting = () =>
    until(
      () => folder() !== begun || /Waits for npm in the jobs repo/.test(engine.packages().output),
      'the instance waits for npm, or has replaced its folder',
    )
  return { ...instance, registry, npm, ended, folder, begun, result, waiting, ofPerson }
}

test('npm that still works in the checkout keeps its folder, and what it installs is live', async t => {
  const { write, registry, ofPerson, ended, folder, begun, result, waiting } = await npmAtWork(t)
  const asked = registry.asked.length
  write('package.json', asks({ greeting: '2.0.0', slow: '1.0.0' }))
  await waiting()
  assert.equal(folder(), begun)
  assert.equal(await result(), 'one', 'jobs keep what they have')

  ofPerson.answers(true)
  assert.deepEqual(await ended, [0, null])
  await until(async () => (await result()) === 'two', 'what npm installed is live')
  assert.equal(folder(), begun)
  assert.equal(registry.asked.length, asked, 'it is not installed a second time')
})

for (const [how, goOn] of Object.entries({
  'when a person chooses "Install now"': async ({ engine }) => void (await engine.installPackages()),
  'after ten minutes without a change': async ({ engine }, clock) => {
    clock.advance(10 * 60_000)
    await engine.retryPackages()
  },
} as Record<
  string,
  (at: Awaited<ReturnType<typeof npmAtWork>>, clock: ReturnType<typeof setClock>) => Promise<void>
>)) {
  test(`a folder that a killed npm left unfinished is kept, with words, and replaced ${how}`, async t => {
    const clock = setClock()
    const at = await npmAtWork(t, { clock })
    const { write, npm, ended, engine, path, folder, begun, result, waiting } = at
    npm.kill('SIGKILL')
    await ended
    write('package.json', asks({ greeting: '3.0.0' }))
    await waiting()
    await until(() => {
      clock.advance(2000)
      return engine.packages().status === 'failed'
    }, 'it is said')
    assert.match(
      engine.packages().error ?? '',
      /^npm began node_modules in the jobs repo and did not finish it: node_modules\/.+ The folder was kept\..*"Install now"/,
    )
    assert.notEqual(engine.packages().nextTryAt, null, 'it is tried again')
    assert.equal(folder(), begun)
    assert.equal(await result(), 'one')

    await goOn(at, clock)
    await until(async () => (await result()) === 'three', 'its packages are live')
    assert.equal(lstatSync(path('node_modules')).isSymbolicLink(), true)
    assert.match(readFileSync(path('node_modules/greeting/package.json'), 'utf8'), /3\.0\.0/)
  })
}

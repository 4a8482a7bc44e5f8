import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { runInstalledInClone } from '../modules/clone.fixture.ts'
import { startRegistry } from './registry.fixture.ts'

const json = (value: object) => JSON.stringify(value)

async function withGreeting(t: TestContext) {
  const registry = await startRegistry(t)
  for (const version of ['1.0.0', '2.0.0', '3.0.0'])
    registry.publish('greeting', version, { 'index.js': `export const text = '${version}'` })
  return { registry, npmrc: `registry=${registry.url}/\n` }
}

/** A monorepo whose package `words` needs another version of `greeting` than the repo, and says which commit it is of. */
const words = (commit: string) => ({
  'packages/words/package.json': json({
    name: '@acme/words',
    version: '1.0.0',
    type: 'module',
    exports: { '.': './src/index.ts', './late': './src/late.ts' },
    imports: { '#told': './src/told.ts' },
    dependencies: { greeting: '2.0.0', tool: '*' },
  }),
  'packages/words/src/index.ts': `import { told } from '#told'
import { text } from 'greeting'
import { tool } from 'tool'
export const words: string[] = [told, text, tool('${commit}')]`,
  'packages/words/src/told.ts': `export const told: string = 'told ${commit}'`,
  'packages/words/src/late.ts': `import { words } from '@acme/words'
export const late = (): string[] => ['late ${commit}', ...words]`,
  'packages/tool/package.json': json({
    name: 'tool',
    version: '1.0.0',
    main: 'lib/tool',
    bin: { shout: 'lib/tool.js' },
  }),
  'packages/tool/lib/tool.js': `exports.tool = text => text + ' ${commit}'
if (require.main === module) process.stdout.write('shouts ${commit}')`,
})

const monorepo = {
  'package.json': json({
    type: 'module',
    workspaces: ['packages/*', '!packages/old'],
    dependencies: { greeting: '1.0.0', '@acme/words': '*', 'by-path': 'file:./libs/by-path' },
  }),
  'packages/old/package.json': 'not a package',
  'libs/by-path/package.json': json({ name: 'by-path', version: '1.0.0' }),
  'libs/by-path/index.ts': "import { text } from 'greeting'\nexport const byPath: string = text",
  'jobs/worker.ts': `import { parentPort } from 'node:worker_threads'
import { words } from '@acme/words'
parentPort?.postMessage(words)`,
  'jobs/program.ts': "import { words } from '@acme/words'\nprocess.stdout.write(JSON.stringify(words))",
  'jobs/all.ts': `import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { text } from 'greeting'
import { words } from '@acme/words'
import { byPath } from 'by-path'

export async function run({ params }: { params: { wait?: string } }) {
  while (params.wait && !existsSync(params.wait)) await new Promise(done => setTimeout(done, 20))
  const { late } = await import('@acme/words/late')
  const [inWorker] = await once(new Worker(new URL('./worker.ts', import.meta.url)), 'message')
  const tsx = process.execArgv.flatMap((each, at, all) => (each === '--import' || each === '--require' ? [each, all[at + 1] ?? ''] : []))
  const inProgram = JSON.parse(execFileSync(process.execPath, [...tsx, 'jobs/program.ts'], { encoding: 'utf8' }))
  const tool = createRequire(import.meta.url)(['to', 'ol'].join('')).tool('required')
  return { text, words, byPath, late: late(), inWorker, inProgram, tool }
}`,
  'manifest.ts': `import { run } from './jobs/all'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: run, params: { wait: { type: 'string', optional: true } } })
`,
}

test('a run pinned to a commit sees the workspaces of that commit, as tsx in a clone does, while the next one is live', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const filesOf = (commit: string) => ({ ...monorepo, ...words(commit), '.npmrc': npmrc })
  const { engine, run, ended, path, write, dir, restart } = await startInstance(t, { files: filesOf('one') })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  const one = await runInstalledInClone(t, filesOf('one'))
  assert.deepEqual((one as { late: unknown }).late, ['late one', 'told one', '2.0.0', 'one one'])
  const first = await run('job')
  assert.deepEqual([first.error, first.result], [null, one])

  // What editors and programs of the system find.
  assert.equal(realpathSync(path('node_modules/@acme/words')), realpathSync(path('packages/words')))
  assert.equal(lstatSync(path('node_modules')).isSymbolicLink(), true)
  assert.match(readFileSync(path('packages/words/node_modules/greeting/package.json'), 'utf8'), /"2\.0\.0"/)
  assert.ok(existsSync(path('node_modules/.bin/shout')))
  assert.equal((await engine.repo()).dirty, false, 'links are no change of the repo')

  mkdirSync(path('data'), { recursive: true })
  const { id } = engine.run('job', { trigger: 'manual', params: { wait: 'data/go' } })
  await until(() => engine.getRun(id)?.status === 'running', 'it runs')
  // The folder moves, its entry has another name, and it needs another package.
  renameSync(path('packages/words'), path('packages/texts'))
  rmSync(path('packages/texts/src'), { recursive: true })
  const two: Record<string, string> = {}
  for (const [file, content] of Object.entries(filesOf('two')))
    two[file.replace('packages/words', 'packages/texts').replace('/src/', '/code/')] = content
      .replaceAll('/src/', '/code/')
      .replace('"greeting":"2.0.0"', '"greeting":"3.0.0"')
  for (const [file, content] of Object.entries(two)) write(file, content)
  const there = await runInstalledInClone(t, two)
  await until(
    async () => (await run('job')).result && engine.manifest().status === 'ok',
    'the next one is live',
  )
  await until(async () => JSON.stringify((await run('job')).result).includes('two'), 'the next one runs')
  assert.deepEqual((await run('job')).result, there)
  writeFileSync(path('data/go'), '')
  const pinned = await ended(id)
  assert.deepEqual(
    [pinned.error, pinned.result],
    [null, one],
    'the run that began before sees its own commit',
  )
  assert.equal(existsSync(path('packages/words/node_modules')), false, 'no link is left behind')

  const asked = registry.asked.length
  await restart()
  assert.equal(registry.asked.length, asked, 'a restart installs nothing')
  await engine.reload()
  const kept = readdirSync(join(dir, 'packages'))
  assert.equal(kept.length, 1, 'what nothing refers to is gone')
})

test('a broken save of a workspace is refused with its line, and the set before keeps running', async t => {
  const { npmrc } = await withGreeting(t)
  const { engine, run, write } = await startInstance(t, {
    files: { ...monorepo, ...words('one'), '.npmrc': npmrc },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  write('packages/words/src/told.ts', '\nexport const told = (')
  const { errors } = await engine.reload()
  assert.deepEqual(
    errors.map(({ file, line }) => [file, line]),
    [['packages/words/src/told.ts', 2]],
  )
  assert.match(JSON.stringify((await run('job')).result), /told one/)
  write('packages/words/src/told.ts', "import 'nowhere'\nexport const told = 'x'")
  assert.match((await engine.reload()).errors[0]?.message ?? '', /cannot find the package "nowhere"/)
})

test('a manifest may be a workspace of its own, and jobs may be packages', async t => {
  const files = {
    'package.json': json({ private: true, type: 'module', workspaces: ['apps/*', 'libs/**'] }),
    'manifest.ts': "import './apps/jobs/manifest'\n",
    'apps/jobs/package.json': json({ name: 'jobs', type: 'module', dependencies: { report: '*' } }),
    'apps/jobs/manifest.ts': `import { run } from 'report/run'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: run })`,
    'libs/deep/report/package.json': json({
      name: 'report',
      version: '1.0.0',
      type: 'module',
      exports: { './*': { import: './src/*.ts' } },
    }),
    'libs/deep/report/src/run.ts': 'export const run = async () => import.meta.url.slice(-28)',
  }
  const { engine, run } = await startInstance(t, { files })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  const { error, result } = await run('job')
  assert.deepEqual([error, result], [null, await runInstalledInClone(t, files)])
})

test('a packed package of the repo is installed', async t => {
  const { registry, npmrc } = await withGreeting(t)
  const packed = Buffer.from(await (await fetch(`${registry.url}/greeting/-/2.0.0.tgz`)).arrayBuffer())
  const { engine, run } = await startInstance(t, {
    files: {
      'package.json': json({ type: 'module', dependencies: { greeting: 'file:vendor/greeting-2.tgz' } }),
      'vendor/greeting-2.tgz': packed,
      '.npmrc': npmrc,
      'manifest.ts': `import { text } from 'greeting'\n${oneJob('() => text')}`,
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.equal((await run('job')).result, '2.0.0')
})

for (const [spec, advice] of Object.entries({
  'file:../elsewhere':
    /names own as "file:\.\.\/elsewhere", which lies outside the jobs repo: put that folder into/,
  '/etc/own': /lies outside the jobs repo/,
  'link:./own': /which only other package managers understand: write "file:\.\/own"/,
  'workspace:^': /write "\*", which npm takes from the workspace/,
  'catalog:': /write the version itself, such as/,
})) {
  test(`"${spec}" in package.json is refused with its line`, async t => {
    const { engine, run, write } = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
    write('package.json', `{\n  "dependencies": {\n    "own": "${spec}"\n  }\n}`)
    const { errors } = await engine.reload()
    assert.deepEqual(
      errors.map(({ file, line }) => [file, line]),
      [['package.json', 3]],
    )
    assert.match(errors[0]?.message ?? '', advice)
    assert.equal((await run('job')).result, 1)
  })
}

test('a script of a workspace that fails keeps the existing packages, and is named with its file and line', async t => {
  const { npmrc } = await withGreeting(t)
  const own = (script: string) =>
    `{\n  "name": "own",\n  "type": "module",\n  "exports": "./made.js",\n  "scripts": {\n    "prepare": "${script}"\n  }\n}`
  const makes = (text: string) =>
    `node -e \\"require('fs').writeFileSync('made.js', 'export const text = ${text}')\\"`
  const { engine, run, write, path, restart } = await startInstance(t, {
    files: {
      'package.json': json({
        type: 'module',
        workspaces: ['own'],
        dependencies: { greeting: '1.0.0' },
        allowScripts: { own: true },
      }),
      'own/package.json': own(makes('1')),
      '.gitignore': 'node_modules/\nmade.js\n',
      '.npmrc': npmrc,
      'manifest.ts': `import { text } from 'own'\nimport { text as greeting } from 'greeting'\n${oneJob('() => [text, greeting]')}`,
    },
  })
  await until(() => engine.manifest().status === 'ok', 'it is live')
  assert.deepEqual((await run('job')).result, [1, '1.0.0'])
  write('own/package.json', own('exit 3'))
  write(
    'package.json',
    json({
      type: 'module',
      workspaces: ['own'],
      dependencies: { greeting: '2.0.0' },
      allowScripts: { own: true },
    }),
  )
  await until(() => engine.packages().status === 'failed', 'it fails')
  await until(() => engine.manifest().waitingFor === null, 'the load has ended')
  const [error] = engine.manifest().errors
  assert.deepEqual([error?.file, error?.line], ['own/package.json', 6])
  assert.match(error?.message ?? '', /^its script "prepare" failed/)
  assert.deepEqual((await run('job')).result, [1, '1.0.0'])
  assert.match(readFileSync(path('node_modules/greeting/package.json'), 'utf8'), /"1\.0\.0"/)
  await restart()
  assert.deepEqual((await run('job')).result, [1, '1.0.0'])
})

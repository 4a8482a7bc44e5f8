import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { oneJob, registry } from '../engine.fixture.ts'
import { ordinaryNotify } from './notify.ts'
import { readManifest } from './read-manifest.ts'

function jobsRepo(t: TestContext, files: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-manifest-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'builds'))
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, 'jobs', file)), { recursive: true })
    writeFileSync(join(dir, 'jobs', file), content)
  }
  const options = { jobsDir: join(dir, 'jobs'), buildsDir: join(dir, 'builds'), timezone: 'Europe/Berlin' }
  return {
    read: (limits: { limitMs?: number; memoryMb?: number } = {}) =>
      readManifest({ ...options, limitMs: 30_000, memoryMb: 128, ...limits }),
    builds: () => readdirSync(options.buildsDir),
  }
}

/** `file:line:column message` of every error. */
async function errorsOf(t: TestContext, files: Record<string, string>, limits = {}): Promise<string[]> {
  const repo = jobsRepo(t, files)
  const read = await repo.read(limits)
  assert.ok('errors' in read, 'the manifest was taken')
  assert.deepEqual(repo.builds(), [], 'a refused manifest leaves no build')
  return read.errors.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

test('a valid manifest gives its jobs with defaults, their places and the compiled files', async t => {
  const repo = jobsRepo(t, {
    'manifest.ts': `${registry}import { run } from './jobs/one'
const everyDay = '0 8 * * *'
jobRegistry.register({ id: 'one', cron: everyDay, func: run })
jobRegistry.register({
  id: 'two', cron: ' @hourly ', func: async () => {}, description: 'Two.', timezone: 'UTC', timeout: '90s', retry: { attempts: 3, delay: '5m' },
})
`,
    'jobs/one.ts': 'export const run = (): number => 1',
  })
  const read = await repo.read()
  assert.ok('jobs' in read)
  const policies = {
    catchUp: 'latest',
    catchUpWindow: 86_400_000,
    overlap: 'skip',
    retry: null,
    onInterrupt: 'fail',
    concurrencyKey: null,
    secrets: [],
    notify: ordinaryNotify,
    params: null,
  }
  assert.deepEqual(read.jobs, [
    {
      id: 'one',
      cron: '0 8 * * *',
      timezone: 'Europe/Berlin',
      description: '',
      timeout: 300_000,
      memory: null,
      ...policies,
      source: { file: 'manifest.ts', line: 4 },
    },
    {
      id: 'two',
      cron: '@hourly',
      timezone: 'UTC',
      description: 'Two.',
      timeout: 90_000,
      memory: null,
      ...policies,
      retry: { attempts: 3, delay: 300_000, factor: 2, maxDelay: 3_600_000, jitter: 0 },
      source: { file: 'manifest.ts', line: 5 },
    },
  ])
  assert.deepEqual(read.inputs.sort(), ['jobs/one.ts', 'manifest.ts'])
  assert.deepEqual(repo.builds(), [read.build])
  const again = await repo.read()
  assert.ok('jobs' in again)
  assert.equal(again.build, read.build)
})

test('a large JSON file is data: it counts as code only where code imports it', async t => {
  const large = (mebibytes: number) => `{ "name": "large" }${' '.repeat(mebibytes * 1024 * 1024)}`
  const unused = jobsRepo(t, { 'manifest.ts': registry, 'rows.json': large(65) })
  assert.ok('jobs' in (await unused.read()), 'the file is left alone')
  const imports = `${registry}import { name } from './rows.json'
jobRegistry.register({ id: name, cron: '@daily', func: () => 1 })
`
  const used = await jobsRepo(t, { 'manifest.ts': imports, 'rows.json': large(2) }).read()
  assert.deepEqual('jobs' in used && [used.jobs[0]?.id, used.inputs], ['large', ['manifest.ts', 'rows.json']])
})

test('a manifest without jobs is valid', async t => {
  const read = await jobsRepo(t, { 'manifest.ts': 'export {}' }).read()
  assert.ok('jobs' in read)
  assert.deepEqual(read.jobs, [])
})

test('packages in the repo are bundled, CommonJS ones too', async t => {
  const read = await jobsRepo(t, {
    'manifest.ts': `${registry}import greet from 'greet'
const require = 1
jobRegistry.register({ id: greet(String(require)), cron: '@daily', func: greet })`,
    'node_modules/greet/package.json': '{"name":"greet","main":"main.js"}',
    'node_modules/greet/main.js':
      "const { EOL } = require('os'); module.exports = s => 'hello-' + s + EOL.trim()",
  }).read()
  assert.ok('jobs' in read)
  assert.equal(read.jobs[0]?.id, 'hello-1')
  assert.deepEqual(read.inputs, ['manifest.ts'])
})

test('every error in every registration is reported at once, each with its line', async t => {
  const errors = await errorsOf(t, {
    'manifest.ts': `${registry}const func = () => {}
jobRegistry.register({ id: 'Bad Id', cron: '* *', func: 5, timezone: 'Berlin', timeout: '1y', retries: 1 })
jobRegistry.register({ id: 'twice', cron: '@hourly', func })
jobRegistry.register({ id: 'twice', cron: '@hourly', func })
jobRegistry.register({ id: 'repo', cron: '@hourly', func })
jobRegistry.register({ id: 'no-func', cron: '@hourly' })
jobRegistry.register({ id: 'kinds', cron: 5, func, description: ['a'], timeout: 10 })
jobRegistry.register(null)
jobRegistry.register({ id: 'long', cron: '@hourly', func, timeout: '25h' })
jobRegistry.register({ id: 'policies', cron: '@hourly', func, catchUp: 'some', catchUpWindow: '5', overlap: true })
jobRegistry.register({ id: 'again', cron: '@hourly', func, retry: { attempts: 0, delay: 5, often: 1, jitter: 2 }, onInterrupt: 'x', concurrencyKey: '' })
jobRegistry.register({ id: 'thrice', cron: '@hourly', func, retry: 3 })
jobRegistry.register({ id: 'posing', cron: '@hourly', func: { kind: 'function' } })
`,
  })
  const at = (line: number) => errors.filter(error => error.startsWith(`manifest.ts:${line}:13 `)).join('\n')
  assert.match(at(3), /job "Bad Id": id must be lowercase letters/)
  assert.match(at(3), /cron "\* \*" has 2 fields/)
  assert.match(at(3), /func must be a function/)
  assert.match(at(3), /timezone "Berlin" is not a time zone/)
  assert.match(at(3), /timeout must be a duration/)
  assert.match(at(3), /has no field called retries; did you mean retry\? Known are id, cron/)
  assert.equal(at(4), '')
  assert.match(at(5), /job "twice": another job has this id, registered at manifest.ts:4/)
  assert.match(at(6), /job "repo": id is a reserved name/)
  assert.match(at(7), /job "no-func": func is missing\. Set it to the function that the job runs\./)
  assert.match(at(8), /cron must be text/)
  assert.match(at(8), /description must be text/)
  assert.match(at(8), /timeout must be text/)
  assert.match(at(9), /a job: id is missing/)
  assert.match(at(10), /timeout must be a duration from 1s to 24h/)
  assert.match(at(11), /catchUp must be one of 'none', 'latest', 'all'/)
  assert.match(at(11), /catchUpWindow must be a duration from 1m to 366d/)
  assert.match(at(11), /overlap must be one of 'skip', 'queue', 'replace'/)
  assert.match(at(12), /retry attempts must be a number from 1 to 100/)
  assert.match(at(12), /retry delay must be text: such as 30s/)
  assert.match(at(12), /retry jitter must be a number from 0 to 1/)
  assert.match(at(12), /retry has no field called often; known are attempts, delay/)
  assert.match(at(12), /onInterrupt must be one of 'fail', 'rerun'/)
  assert.match(at(12), /concurrencyKey must not be empty/)
  assert.match(at(13), /retry must be an object such as { attempts: 3 }/)
  assert.match(at(14), /func must be a function/)
})

test('a field of the wrong type is one error, at that field', async t => {
  const job = (fields: string) => `jobRegistry.register({ id: 'a', cron: '@hourly', func, ${fields} })`
  const mistakes: [registration: string, words: RegExp][] = [
    [
      "jobRegistry.register({ id: 'a', corn: '@hourly', func })",
      /job "a": has no field called corn; did you mean cron\? Known are/,
    ],
    ["jobRegistry.register({ id: 'a', schedule: '@hourly', func })", /has no field called schedule;/],
    ["jobRegistry.register({ id: 'a', cron: '@hourly', handler: func })", /has no field called handler;/],
    ["jobRegistry.register({ idd: 'a', cron: '@hourly', func })", /a job: has no field called idd;/],
    [
      job('retry: { attemps: 3 }'),
      /job "a": retry has no field called attemps; did you mean attempts\? Known are attempts/,
    ],
    [job('retry: { attempts: 0.5 }'), /retry attempts must be a number from 1 to 100/],
    [job('notify: { failures: -1.5 }'), /notify failures must be a whole number from 1 to 20/],
    [job("timeout: '5 m'"), /timeout must be a duration/],
    [job('timeot: 5'), /has no field called timeot/],
    [job("secrets: 'API_TOKEN'"), /secrets must be a list/],
    [`jobRegistry.register({ id: 'A ${'a'.repeat(70)}', cron: '@hourly', func })`, /id must be lowercase/],
    ["jobRegistry.register({ id: 'a', cron: 5, func })", /cron must be text/],
  ]
  const manifest = `${registry}const func = () => {}\n${mistakes.map(([text]) => text).join('\n')}\n`
  const errors = await errorsOf(t, { 'manifest.ts': manifest })
  for (const [index, [text, words]] of mistakes.entries()) {
    const here = errors.filter(error => error.startsWith(`manifest.ts:${index + 3}:13 `))
    assert.equal(here.length, 1, `${text}: ${here.join('\n')}`)
    assert.match(here[0] ?? '', words)
  }
})

test('a registration in another module is found there', async t => {
  const errors = await errorsOf(t, {
    'manifest.ts': "import './jobs/deep'",
    'jobs/deep.ts': `// above\n${registry}jobRegistry.register({ id: 'deep', cron: 'often', func: () => {} })`,
  })
  assert.match(errors[0] ?? '', /^jobs\/deep\.ts:3:13 job "deep": cron "often" has 1 field/)
})

test('code that does not compile or resolve is reported with its place', async t => {
  assert.deepEqual(await errorsOf(t, { 'manifest.ts': 'let x: number = ;' }), [
    'manifest.ts:1:17 Unexpected ";"',
  ])
  assert.deepEqual(
    await errorsOf(t, {
      'manifest.ts': "import a from '@some/package/part'\nimport './nowhere'\nconsole.log(a)",
    }),
    [
      'manifest.ts:1:15 cannot find the package "@some/package"; add it to "dependencies" in package.json and save: it is installed here then',
      'manifest.ts:2:8 cannot find the file "./nowhere"',
    ],
  )
  assert.match(
    (await errorsOf(t, { 'README.md': '' }))[0] ?? '',
    /^manifest.ts:null:null manifest.ts is not there/,
  )
})

test('a saved merge conflict is reported as one, in any file', async t => {
  const conflict = (ours: string, theirs: string) =>
    `<<<<<<< HEAD\n${ours}\n=======\n${theirs}\n>>>>>>> origin/main\n`
  assert.match(
    (await errorsOf(t, { 'manifest.ts': conflict('const a = 1', 'const a = 2') }))[0] ?? '',
    /^manifest.ts:1:1 merge conflict not resolved/,
  )
  const files = {
    'manifest.ts': "import './jobs/one'",
    'jobs/one.ts': `export const one = {\n${conflict('a: 1,', 'a: 2,')}}`,
  }
  assert.match((await errorsOf(t, files))[0] ?? '', /^jobs\/one.ts:2:1 merge conflict not resolved/)
})

test('files outside the repo are refused, because no commit would contain them', async t => {
  const errors = await errorsOf(t, {
    'manifest.ts': "import '../outside.mjs'",
    '../outside.mjs': 'export {}',
  })
  assert.match(errors[0] ?? '', /^manifest.ts:.* imports "..\/outside.mjs", which lies outside the jobs repo/)
})

test('a manifest that throws, rejects or exits is refused with the reason', async t => {
  const line = async (code: string) =>
    (await errorsOf(t, { 'manifest.ts': `${registry}\n${code}` })).join('\n')
  assert.equal(await line("throw new TypeError('boom')"), 'manifest.ts:3:7 TypeError: boom')
  assert.match(await line("throw 'a text'"), /threw a text/)
  const getter =
    "jobRegistry.register({ id: 'x', get cron(): string { throw new Error('not now') } } as never)"
  assert.match(await line(getter), /^manifest.ts:3:.* Error: not now/)
  assert.match(await line("void Promise.reject(new Error('nobody cares'))"), /^manifest.ts:3:.*nobody cares/)
  assert.match(await line('process.exit(3)'), /^manifest.ts:3:9 .*process.exit\(3\) was called/)
  assert.match(await line('process.reallyExit(3)'), /ended with exit code 3/)
  assert.match(await line("process.kill(process.pid, 'SIGKILL')"), /ended by SIGKILL/)
  assert.match(await line('await new Promise(() => {})'), /waits for something that never comes/)
})

test('a manifest that never ends, uses too much memory, floods or lies is stopped', async t => {
  const loop = { 'manifest.ts': 'for (;;);' }
  assert.match((await errorsOf(t, loop, { limitMs: 800 }))[0] ?? '', /took longer than 0.8 seconds/)
  const wait = { 'manifest.ts': 'await new Promise(done => setTimeout(done, 60_000))' }
  assert.match((await errorsOf(t, wait, { limitMs: 800 }))[0] ?? '', /took longer than/)
  const memory = {
    'manifest.ts': 'const held: unknown[] = []; for (;;) held.push(new Array(1e5).fill(held.length))',
  }
  assert.match((await errorsOf(t, memory, { memoryMb: 48 }))[0] ?? '', /more than 48 MiB of memory/)
  for (const lie of [
    '{ errors: [] }',
    "{ code: '../../etc', inputs: [], registrations: [] }",
    'null',
    "'text'",
  ]) {
    const errors = await errorsOf(t, {
      'manifest.ts': `import { writeSync } from 'node:fs'
writeSync(3, JSON.stringify(${lie}) + '\\n'); await new Promise(done => setTimeout(done, 500))`,
    })
    assert.match(errors[0] ?? '', /changed what its reader answers/)
  }
  const many = `${registry}for (let i = 0; i < 20_001; i++) jobRegistry.register({ id: 'j' + i, cron: '@daily', func() {} })`
  assert.match((await errorsOf(t, { 'manifest.ts': many }))[0] ?? '', /more than 20000 jobs/)
  const noisy = `${oneJob('() => {}')}process.stdout.write('x'.repeat(5e6)); process.stderr.write('y'.repeat(5e6))`
  assert.ok('jobs' in (await jobsRepo(t, { 'manifest.ts': noisy }).read()))
})

test('a name that the manifest imports twice is an error of the manifest', async t => {
  const twice = `${registry}import { run } from './one'
import { run } from './one'
jobRegistry.register({ id: 'one', cron: '@daily', func: run })
`
  const errors = await errorsOf(t, {
    'manifest.ts': twice,
    'one.ts': 'export const run = () => 1',
    // Without it, esbuild leaves the first of them out, as tsx does.
    'tsconfig.json': '{ "compilerOptions": { "verbatimModuleSyntax": true } }',
  })
  assert.equal(errors.length, 1)
  assert.match(errors[0] ?? '', /^manifest\.ts:3:\d+ .*Identifier 'run' has already been declared$/)
  const deep = await errorsOf(t, {
    'manifest.ts': "import './two'\n",
    'two.ts': "interface Gone {}\n\nimport { run } from './one'\nimport { run } from './one'\nvoid run\n",
    'one.ts': 'export const run = () => 1',
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "compilerOptions": { "verbatimModuleSyntax": true } }',
  })
  assert.match(deep[0] ?? '', /^two\.ts:4:\d+ .*Identifier 'run' has already been declared$/)
})

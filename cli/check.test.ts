import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, oneJob, registry } from '../runtime/engine.fixture.ts'
import { ordinaryMemoryMb } from '../runtime/process/memory.ts'
import { programRoot } from '../src/root.ts'
import { eventually } from '../src/testing/eventually.ts'
import { jobsRepo, say, start } from './command.fixture.ts'

test('check prints the number of jobs and puts the types of longhouse/jobs where editors look', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => 1') })
  assert.deepEqual(await say(t, dir, ['check']), { code: 0, out: '✓ 1 job, no problems found\n', err: '' })
  assert.ok(existsSync(join(dir, 'node_modules/longhouse/jobs.d.ts')))
})

test('check prints every error as file:line:column message, and nothing else to standard output', async t => {
  const dir = jobsRepo(t, {
    'manifest.ts': `import { later } from './jobs/later'\n${registry}jobRegistry.register({ id: 'Ä', cron: '61 * * * *', func: later })
jobRegistry.register({ id: 'twice', cron: '0 8 * * *', timezone: 'Mars/Olympus', func: later, timeout: 'soon' })\n`,
    'jobs/later.ts': 'export const later = () => {}\n',
  })
  const { code, out } = await say(t, dir, ['check'])
  assert.equal(code, 1)
  const lines = out.trimEnd().split('\n')
  assert.equal(lines.length, 4)
  for (const line of lines)
    assert.match(line, /^manifest\.ts:[34]:13 job "(Ä|twice)": (id|cron|timezone|timeout) /)

  writeFileSync(join(dir, 'jobs/later.ts'), 'export const later = () => {\n')
  assert.match((await say(t, dir, ['check'])).out, /^jobs\/later\.ts:2:1 Unexpected end of file\n$/)
  writeFileSync(join(dir, 'jobs/later.ts'), "throw new TypeError('no \\x1b[2Jway')\nexport const later = 1\n")
  assert.match((await say(t, dir, ['check'])).out, /^jobs\/later\.ts:1:7 TypeError: no way\n$/)
})

test('check works in a folder with spaces and umlauts, from a subfolder, and from elsewhere with --dir', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob("() => { throw new Error('oh') }") }, 'Käse & Jobs 100%')
  mkdirSync(join(dir, 'jobs'))
  assert.equal((await say(t, dir, ['check'])).code, 0)
  assert.equal((await say(t, join(dir, 'jobs'), ['check'])).code, 0)
  writeFileSync(
    join(dir, 'manifest.ts'),
    `${registry}jobRegistry.register({ id: 'a b' })\nthrow new Error('here')\n`,
  )
  assert.match((await say(t, dir, ['check'])).out, /^manifest\.ts:3:7 Error: here\n$/)
  assert.match((await say(t, join(dir, 'jobs'), ['check'])).out, /^\.\.\/manifest\.ts:3:7 Error: here\n$/)
  writeFileSync(join(dir, 'manifest.ts'), `${registry}jobRegistry.register({ id: 'a b' })\n`)
  const elsewhere = await say(t, join(dir, '..'), ['check', '--dir', 'Käse & Jobs 100%'])
  assert.match(elsewhere.out, /^Käse & Jobs 100%\/manifest\.ts:2:13 job "a b": id must be/)
})

test('check refuses an empty folder, a missing folder and a file that is not a manifest', async t => {
  const dir = jobsRepo(t, {})
  mkdirSync(join(dir, '.git'))
  const empty = await say(t, dir, ['check'])
  assert.deepEqual([empty.code, empty.out], [1, ''])
  assert.match(
    empty.err,
    /there is no manifest\.ts here or in a folder above; go to a jobs repo, or pass one with --dir/,
  )
  assert.deepEqual(readdirSync(dir), ['.git'], 'nothing was put there')
  const gone = await say(t, dir, ['check', '--dir', 'nowhere'])
  assert.equal(gone.code, 2)
  assert.match(gone.err, /--dir: there is no folder "nowhere"/)
  symlinkSync('/etc/hostname', join(dir, 'manifest.ts'))
  assert.match((await say(t, dir, ['check'])).out, /^manifest\.ts is a link out of the jobs repo/)
})

test('check explains a manifest that exits, fills the memory or writes to its channel', async t => {
  for (const [source, words] of [
    ['process.exit(0)', /process\.exit\(0\) was called while the manifest was read/],
    ['process.kill(process.pid, 9)', /the process that read the manifest was ended by SIGKILL/],
    [
      'const all = []; for (;;) all.push(new Array(1e6).fill(1.5))',
      new RegExp(`took more than ${ordinaryMemoryMb} MiB of memory`),
    ],
    ['await new Promise(() => {})', /waits for something that never comes/],
    ["import { writeSync } from 'node:fs'; writeSync(3, '{}\\n')", /changed what its reader answers/],
  ] as const) {
    const { code, out } = await say(t, jobsRepo(t, { 'manifest.ts': `${source}\nexport {}\n` }), ['check'])
    assert.equal(code, 1, source)
    assert.match(out, words)
    assert.equal(out.trimEnd().split('\n').length, 1, out)
  }
})

test('Ctrl-C stops reading a manifest that never ends, and leaves no process behind', async t => {
  const source = `import { writeFileSync } from 'node:fs'
writeFileSync(process.env.TMPDIR + '/reader', String(process.pid))
for (;;) {}\n`
  const scratch = jobsRepo(t, {}, 'tmp')
  const dir = jobsRepo(t, { 'manifest.ts': source })
  const command = start(t, dir, ['check'], { TMPDIR: scratch })
  const reader = await eventually('the manifest is read', () => {
    const root = join(scratch, readdirSync(scratch)[0] ?? '', 'tmp')
    const file = join(root, existsSync(root) ? (readdirSync(root)[0] ?? '') : '', 'reader')
    return existsSync(file) && Number(readFileSync(file))
  })
  assert.ok(isAlive(reader))
  command.process.kill('SIGINT')
  assert.equal((await command.ended).code, 130)
  assert.deepEqual(readdirSync(scratch), [])
  await eventually('its process is gone', () => !isAlive(reader))
})

test('check warns about a manifest without jobs and about packages that are not installed, and says where a missing package belongs', async t => {
  const dir = jobsRepo(t, {
    'manifest.ts': registry,
    'package.json': JSON.stringify({ dependencies: { 'left-pad': '^1.0.0' } }),
  })
  const none = await say(t, dir, ['check'])
  assert.equal(none.code, 0)
  assert.match(none.out, /warning manifest\.ts registers no job/)
  assert.match(none.out, /warning .*package\.json.*run npm install/)
  assert.match(none.out, /✓ 0 jobs, no errors/)
  writeFileSync(join(dir, 'manifest.ts'), "import 'left-pad'\nimport 'right-pad'\n")
  const missing = await say(t, dir, ['check'])
  assert.match(
    missing.out,
    /^manifest\.ts:1:8 cannot find the package "left-pad": package\.json names it, but it is not installed; run npm install$/m,
  )
  assert.match(
    missing.out,
    /^manifest\.ts:2:8 cannot find the package "right-pad"; add it to "dependencies" in package\.json: npm install right-pad$/m,
  )
})

test('an import of a name that a file does not export says which ones it has', async t => {
  const dir = jobsRepo(t, {
    'manifest.ts': `import { latter } from './jobs/later'\n${oneJob('latter')}`,
    'jobs/later.ts': 'export const later = () => 1\nexport const other = 2\nexport default later\n',
  })
  const close = await say(t, dir, ['check'])
  assert.match(close.out, /^manifest\.ts:1:1 .* export named 'latter'; did you mean later\?$/m)
  const far = `import { digest } from './jobs/later'\n${oneJob('digest')}`
  writeFileSync(join(dir, 'manifest.ts'), far)
  assert.match(
    (await say(t, dir, ['check'])).out,
    /'digest'; it exports default \(import x from …\), later, other$/m,
  )
  writeFileSync(join(dir, 'jobs/more.ts'), 'export const more = 1\n')
  writeFileSync(join(dir, 'jobs/later.ts'), "export * from './more'\nexport const later = 1\n")
  assert.match((await say(t, dir, ['check'])).out, /'digest'; it exports later, …$/m)
  writeFileSync(join(dir, 'jobs/later.ts'), 'void 1\nexport {}\n')
  assert.match((await say(t, dir, ['check'])).out, /'digest'; it exports nothing$/m)
})

test('check refuses a package that an instance does not install', async t => {
  const put = (name: string) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0' }),
    [`node_modules/${name}/index.js`]: "module.exports = ''\n",
  })
  const manifest = (fields: object) => JSON.stringify({ name: 'jobs', ...fields })
  const locked = (dev: boolean) => ({ version: '1.0.0', ...(dev ? { dev } : {}) })
  const dir = jobsRepo(t, {
    'manifest.ts': `import 'left-pad'\nimport 'right-pad'\n${oneJob('() => 1')}`,
    'package.json': manifest({ devDependencies: { 'left-pad': '^1.0.0' } }),
    'package-lock.json': JSON.stringify({
      packages: { 'node_modules/left-pad': locked(true), 'node_modules/right-pad': locked(true) },
    }),
    ...put('left-pad'),
    ...put('right-pad'),
  })
  const refused = await say(t, dir, ['check'])
  assert.equal(refused.code, 1)
  assert.match(
    refused.out,
    /^manifest\.ts:1:8 .*"left-pad" is in "devDependencies".*an instance does not install/m,
  )
  assert.match(
    refused.out,
    /^manifest\.ts:2:8 .*"right-pad" is here only because .*: npm install right-pad$/m,
  )

  // npm writes the lockfile later than a person writes package.json.
  writeFileSync(
    join(dir, 'package.json'),
    manifest({ dependencies: { 'left-pad': '^1.0.0' }, optionalDependencies: { 'right-pad': '^1.0.0' } }),
  )
  assert.equal((await say(t, dir, ['check'])).code, 0)

  // A package for running needs it as well.
  writeFileSync(join(dir, 'package.json'), manifest({ devDependencies: { 'left-pad': '^1.0.0' } }))
  writeFileSync(
    join(dir, 'package-lock.json'),
    JSON.stringify({
      packages: { 'node_modules/left-pad': locked(false), 'node_modules/right-pad': locked(false) },
    }),
  )
  assert.equal((await say(t, dir, ['check'])).code, 0)

  rmSync(join(dir, 'package-lock.json'))
  const without = await say(t, dir, ['check'])
  assert.equal(without.code, 1)
  assert.equal(without.out.trimEnd().split('\n').length, 1, without.out)
})

test('import() of what is not there is a warning with its place; leading out of the repo it is an error', async t => {
  const dir = jobsRepo(t, {
    'package.json': '{ "type": "module" }',
    'manifest.ts': oneJob("async () => {\n  await import('left-pad').catch(() => null)\n}"),
  })
  const optional = await say(t, dir, ['check'])
  assert.equal(optional.code, 0)
  assert.match(optional.out, /warning manifest\.ts:3:16 cannot find the package "left-pad"/)
  writeFileSync(join(dir, 'manifest.ts'), oneJob("() => import('../outside.mjs')"))
  const outside = await say(t, dir, ['check'])
  assert.equal(outside.code, 1)
  assert.match(outside.out, /imports "\.\.\/outside\.mjs", which lies outside the jobs repo/)
})

test('--types runs the TypeScript of the repo, and only if there is one', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => 1'), 'tsconfig.json': '{}' })
  const without = await say(t, dir, ['check', '--types'])
  assert.equal(without.code, 0)
  assert.match(without.out, /warning types were not checked: no TypeScript is installed here/)
  writeFileSync(join(dir, 'wrong.ts'), "export const port: number = 'http'\n")
  mkdirSync(join(dir, 'node_modules/.bin'), { recursive: true })
  symlinkSync(join(import.meta.dirname, '../node_modules/.bin/tsc'), join(dir, 'node_modules/.bin/tsc'))
  const wrong = await say(t, dir, ['check', '--types'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.out, /^wrong\.ts:1:14 TS2322: Type 'string' is not assignable to type 'number'\.$/m)
  assert.equal((await say(t, dir, ['check'])).code, 0, 'nobody asked for types')
})

test('--json reports the same to programs', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => 1', "timezone: 'Nowhere'") })
  const { code, out } = await say(t, dir, ['check', '--json'])
  assert.equal(code, 1)
  const [error] = JSON.parse(out).errors
  assert.deepEqual([error.file, error.line, error.column], ['manifest.ts', 2, 13])
  assert.match(error.message, /"Nowhere" is not a time zone/)
})

test('check runs the sources where they are not the built ones, with the same output', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob("() => 'ran'") })
  const program = programRoot('cli/main.ts')
  const from = (...args: string[]) =>
    execFileSync(process.execPath, [program, ...args], { cwd: dir, encoding: 'utf8', stdio: 'pipe' })
  assert.equal(from('check'), '✓ 1 job, no problems found\n')
  assert.equal(from('run', 'job'), '"ran"\n')
})

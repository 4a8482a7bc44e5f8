import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, oneJob, registry } from '../runtime/engine.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { jobsRepo, say, start } from './command.fixture.ts'

test('run prints the output of the job, then its result, and exits with 0', async t => {
  const source =
    "async ({ log, params, run }) => { log('one'); console.error('two'); return { params, attempt: run.attempt, slot: run.slot, trigger: run.trigger } }"
  const dir = jobsRepo(t, { 'manifest.ts': oneJob(source), 'more.json': '{"b": [1], "c": false}' })
  const scratch = jobsRepo(t, {}, 'tmp')
  const { code, out, err } = await say(
    t,
    dir,
    ['run', 'job', '--params', '@more.json', '--param', 'a=1', '--param', 'c=on', '--param', 'd=x=y'],
    { TMPDIR: scratch },
  )
  assert.equal(code, 0, err)
  assert.match(out, /^one\n\{/)
  assert.deepEqual(JSON.parse(out.slice(out.indexOf('{'))), {
    params: { a: 1, b: [1], c: 'on', d: 'x=y' },
    attempt: 1,
    slot: null,
    trigger: 'manual',
  })
  assert.match(err, /^running job, for at most 5 min\ntwo\n✓ job succeeded after \d+ ms\n$/)
  assert.deepEqual(readdirSync(scratch), [], 'the build is gone')
})

test('run exits with 1 when the job fails, and prints message and line', async t => {
  const dir = jobsRepo(
    t,
    { 'manifest.ts': oneJob("() => {\n  throw new RangeError('too far')\n}") },
    'Ordner mit Ümlaut',
  )
  const { code, out, err } = await say(t, dir, ['run', 'job'])
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /✗ job failed after \d+ ms: RangeError: too far\n/)
  assert.match(err, /at .*manifest\.ts:3:9/)
  const json = await say(t, dir, ['run', 'job', '--json'])
  assert.equal(json.code, 1)
  const { job_id, status, result, error } = JSON.parse(json.out)
  assert.deepEqual([job_id, status, result, error.message], ['job', 'failed', null, 'RangeError: too far'])
})

test('run applies the limits of the manifest, and reports a malformed message of the job as a failure', async t => {
  const job = (id: string, func: string, options = '') =>
    `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func}, ${options} })\n`
  const dir = jobsRepo(t, {
    'manifest.ts':
      registry +
      job('slow', '() => new Promise(done => setTimeout(done, 60_000))', "timeout: '1s'") +
      job('leaves', '() => process.exit(0)') +
      job('never', '() => new Promise(() => {})'),
  })
  for (const [id, words] of [
    ['slow', /✗ slow timed out after .*: the run took longer than its limit of 1 seconds? and was stopped/],
    ['leaves', /✗ leaves failed after .*: the job ended its process with exit code 0/],
    ['never', /✗ never failed after .*: the job's promise was never settled/],
  ] as const) {
    const { code, err } = await say(t, dir, ['run', id])
    assert.equal(code, 1)
    assert.match(err, words)
  }
})

test('a run gets the environment of an instance: none of our variables but what programs need', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => ({ ...process.env })') })
  const { out } = await say(t, dir, ['run', 'job', '--json'], {
    AWS_SECRET_ACCESS_KEY: 'x',
    NODE_OPTIONS: '--no-deprecation',
  })
  const found: Record<string, string> = JSON.parse(out).result
  const names = Object.keys(found)
  assert.ok(names.includes('PATH') && names.includes('NO_COLOR'), names.join())
  assert.ok(!names.includes('AWS_SECRET_ACCESS_KEY'), names.join())
  // What a job starts with node loads its TypeScript the same way.
  assert.match(found.NODE_OPTIONS ?? '', /^--require=\S+\/modules\.cjs( --disable-warning=\w+)*$/)
})

test('Ctrl-C asks a run to end and lets it clean up', async t => {
  const source =
    "async ({ log, signal }) => { log('begun'); await new Promise(done => { signal.addEventListener('abort', done); setTimeout(done, 60_000) }); log('tidied up') }"
  const command = start(t, jobsRepo(t, { 'manifest.ts': oneJob(source) }), ['run', 'job'])
  await eventually('the job runs', () => command.text().includes('begun'))
  command.process.kill('SIGINT')
  const { code, out, err } = await command.ended
  assert.equal(code, 130)
  assert.match(out, /begun\ntidied up\n/)
  assert.match(err, /stopping the run; .*\n✗ job cancelled after .*: the run was cancelled/)
})

test('a second Ctrl-C kills the run at once, with every process that it started', async t => {
  const source = `({ log, signal }) => {
    signal.addEventListener('abort', () => log('not now'))
    const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { detached: true, stdio: 'ignore' })
    log('pid ' + child.pid)
    return new Promise(done => setTimeout(done, 60_000))
  }`
  const dir = jobsRepo(t, { 'manifest.ts': `import { spawn } from 'node:child_process'\n${oneJob(source)}` })
  const command = start(t, dir, ['run', 'job'])
  const pid = await eventually('it has a child', () => Number(/pid (\d+)/.exec(command.text())?.[1] ?? 0))
  assert.ok(isAlive(pid))
  command.process.kill('SIGINT')
  await eventually('the job heard of it', () => command.text().includes('not now'))
  command.process.kill('SIGINT')
  assert.equal((await command.ended).code, 130)
  await eventually('its child is gone', () => !isAlive(pid))
})

test('run refuses malformed parameters before the job starts', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob("({ log }) => log('ran')"), 'list.json': '[1]' })
  for (const [args, words] of [
    [['--params', '{a: 1}'], /--params: its value cannot be read as JSON/],
    [['--params', '7'], /--params: its value must be a JSON object such as \{"count": 3\}/],
    [['--params', '@list.json'], /--params: the file "list\.json" must be a JSON object/],
    [['--params', '@nowhere.json'], /--params: the file "nowhere\.json" cannot be read/],
    [['--param', 'a'], /--param: "a" must have the form name=value/],
    [['--param', '=a'], /--param/],
  ] as const) {
    const { code, out, err } = await say(t, dir, ['run', 'job', ...args])
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.match(err, words)
  }
  writeFileSync(join(dir, 'manifest.ts'), oneJob('() => 1', 'timeout: 7'))
  const broken = await say(t, dir, ['run', 'job'])
  assert.deepEqual([broken.code, broken.out], [1, ''])
  assert.match(broken.err, /^manifest\.ts:2:13 job "job": timeout must be text/)
})

test('a job gets its declared secrets from the environment or .env, and the output masks them', async t => {
  const source = `({ secrets, log }) => {
    log('first', secrets.FIRST)
    console.error('second', process.env.SECOND_KEY)
    return [secrets.FIRST.length, process.env.OTHER ?? null, 'key=' + secrets.FIRST]
  }`
  const dir = jobsRepo(t, {
    'manifest.ts': oneJob(source, "secrets: ['FIRST', 'SECOND_KEY']"),
    '.env': '# mine\nFIRST=',
  })
  const missing = await say(t, dir, ['run', 'job'])
  assert.deepEqual([missing.code, missing.out], [1, ''])
  assert.match(
    missing.err,
    /job was not started: the secrets FIRST, SECOND_KEY are not set; set them in the environment or in \.env/,
  )
  const warned = await say(t, dir, ['check'])
  assert.equal(warned.code, 0)
  assert.match(
    warned.out,
    /^warning job needs the secret FIRST, which is not set in the environment or in \.env/m,
  )

  writeFileSync(
    join(dir, '.env'),
    'FIRST="from the file"\nSECOND_KEY=also-from-there\nOTHER=not for this job\n',
  )
  const { code, out, err } = await say(t, dir, ['run', 'job', '--json'], { SECOND_KEY: 'from-the-shell' })
  assert.equal(code, 0, err)
  assert.deepEqual(JSON.parse(out).result, [13, null, 'key=***'])
  assert.match(err, /^first \*\*\*$/m)
  assert.match(err, /^second \*\*\*$/m)
  assert.ok(!err.includes('warning'), 'there is no git here')
  assert.equal((await say(t, dir, ['check'])).out, '✓ 1 job, no problems found\n')
})

test('run warns when git does not ignore .env', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => 1', "secrets: ['KEY']"), '.env': 'KEY=value\n' })
  mkdirSync(join(dir, '.git'))
  const words = /warning git does not ignore \.env: add it to \.gitignore/
  assert.match((await say(t, dir, ['check'])).out, words)
  assert.match((await say(t, dir, ['run', 'job'])).err, words)
  writeFileSync(join(dir, '.gitignore'), 'node_modules/\n.env\n')
  assert.equal((await say(t, dir, ['check'])).out, '✓ 1 job, no problems found\n')
  assert.ok(!words.test((await say(t, dir, ['run', 'job'])).err))
})

test('run applies the job’s parameter schema: defaults, text that looks like a number, and an error for each field', async t => {
  const shape = `params: {
    zip: { type: 'string', default: '' },
    count: { type: 'integer', default: 3, max: 5 },
    dry: { type: 'boolean', default: true },
  }`
  const dir = jobsRepo(t, {
    'manifest.ts':
      "import { z } from 'zod'\n" +
      oneJob('({ params }) => params', shape) +
      "jobRegistry.register({ id: 'zod', cron: '@daily', func: ({ params }) => params, params: z.object({ day: z.string().default('monday').transform(day => day.toUpperCase()) }) })",
  })
  const ran = await say(t, dir, ['run', 'job', '--json', '--param', 'zip=01234', '--param', 'dry=false'])
  assert.deepEqual(JSON.parse(ran.out).result, { zip: '01234', count: 3, dry: false })
  const digits = await say(t, dir, ['run', 'job', '--json', '--param', 'zip=12345'])
  assert.deepEqual(JSON.parse(digits.out).result, { zip: '12345', count: 3, dry: true })
  const parsed = await say(t, dir, ['run', 'zod', '--json', '--params', '{"day":"friday"}'])
  assert.deepEqual(JSON.parse(parsed.out).result, { day: 'FRIDAY' })

  const refused = await say(t, dir, [
    'run',
    'job',
    '--params',
    '{"count": 7, "zap": 1}',
    '--param',
    'dry=yes',
  ])
  assert.deepEqual([refused.code, refused.out], [2, ''])
  assert.match(
    refused.err,
    /invalid parameters: "count" must be at most 5; "zap" is no parameter here; there is "zip", "count", "dry"; "dry" must be true or false/,
  )
})

test('a job’s state persists between runs in a file of the repo; invalid JSON there is reported and kept', async t => {
  const source = `async ({ state }) => {
    const runs = (await state.get('runs') ?? 0) + 1
    await state.set('runs', runs)
    return [runs, await state.get('constructor') ?? null, await state.delete('gone'), await state.entries()]
  }`
  const dir = jobsRepo(t, { 'manifest.ts': oneJob(source) })
  const result = async () => JSON.parse((await say(t, dir, ['run', 'job', '--json'])).out).result
  assert.deepEqual(await result(), [1, null, false, [['runs', 1]]])
  assert.deepEqual(await result(), [2, null, false, [['runs', 2]]])
  const file = join(dir, 'data/longhouse-state.json')
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { job: { runs: 2 } })

  writeFileSync(file, '{"job": {"runs": 41}}')
  assert.deepEqual(await result(), [42, null, false, [['runs', 42]]])
  writeFileSync(file, '{"job": {"runs": 41')
  const broken = await say(t, dir, ['run', 'job'])
  assert.equal(broken.code, 1)
  assert.match(broken.err, /data\/longhouse-state\.json is not valid JSON; fix it, or move it away/)
  assert.equal(readFileSync(file, 'utf8'), '{"job": {"runs": 41')
})

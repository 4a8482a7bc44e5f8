import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, registry } from '../runtime/engine.fixture.ts'
import { programRoot } from '../src/root.ts'
import { jobsRepo, say } from './command.fixture.ts'

const job = (id: string, fields: string) =>
  `jobRegistry.register({ id: '${id}', func: () => {}, ${fields} })\n`

test('list prints a table without colours to a pipe, with colours when forced, and JSON on request', async t => {
  const dir = jobsRepo(t, {
    'manifest.ts':
      registry +
      job(
        'daily-digest',
        "cron: '0 8 * * *', timezone: 'Europe/Berlin', description: 'Send \\x1b[31m\\nmy summary.'",
      ) +
      job('often', "cron: '*/10 * * * * *'"),
  })
  const { code, out, err } = await say(t, dir, ['list'])
  assert.deepEqual([code, err], [0, ''])
  const [head, digest, often] = out.split('\n')
  assert.match(head ?? '', /^ID {12}CRON {12}ZONE {11}NEXT RUN .*DESCRIPTION$/)
  assert.match(
    digest ?? '',
    /^daily-digest {2}0 8 \* \* \* .*Europe\/Berlin {2}in (\d+ (h|min|s)|a moment) .*08:00 CES?T {2}Send my summary\.$/,
  )
  assert.match(often ?? '', /^often .* UTC .* in (\d+ s|a moment) /)
  assert.ok(!out.includes('\x1b'))
  const forced = await say(t, dir, ['list'], { FORCE_COLOR: '1' })
  assert.ok(forced.out.startsWith('\x1b[1mID'))

  const { jobs } = JSON.parse((await say(t, dir, ['list', '--json', '--timezone', 'Asia/Tokyo'])).out)
  assert.deepEqual(
    jobs.map((each: { id: string; timezone: string }) => [each.id, each.timezone]),
    [
      ['daily-digest', 'Europe/Berlin'],
      ['often', 'Asia/Tokyo'],
    ],
  )
  assert.match(jobs[0].next_run_at, /^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/)
})

const terminal = '/usr/bin/script'
const skip =
  existsSync(terminal) && process.platform === 'linux'
    ? false
    : 'needs script(1), which gives a program a terminal: apt install bsdutils'

test('list uses colours on a terminal, and none with NO_COLOR', { skip }, async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => process.env.FORCE_COLOR ?? null') })
  const onTerminal = (env: Record<string, string>) =>
    execFileSync(
      terminal,
      ['-qec', `'${process.execPath}' '${programRoot('dist/longhouse.js')}' run job`, '/dev/null'],
      { cwd: dir, encoding: 'utf8', env: { PATH: process.env.PATH, TERM: 'xterm', ...env } },
    )
  const coloured = onTerminal({})
  assert.ok(coloured.includes('\x1b[32m✓'), coloured)
  assert.match(coloured, /^"1"\r$/m, 'the job may colour, too')
  const plain = onTerminal({ NO_COLOR: '1' })
  assert.ok(!plain.includes('\x1b['), plain)
  assert.match(plain, /✓ job succeeded/)
})

test('next prints the next due times and the effect of clock changes', async t => {
  const dir = jobsRepo(t, {
    'manifest.ts':
      registry +
      job('report', "cron: '30 2 * * *', timezone: 'Europe/Berlin'") +
      job('once', "cron: '0 0 29 2 *'"),
  })
  const gap = await say(t, dir, ['next', 'report', '--at', '2026-03-28T02:30', '--count', '3'])
  const [head, ...lines] = gap.out.trimEnd().split('\n')
  assert.equal(head, 'report  30 2 * * *  Europe/Berlin  At 02:30 every day')
  assert.match(lines[0] ?? '', /^ {2}Sat 28 Mar 2026, 02:30:00 CET/)
  assert.match(
    lines[1] ?? '',
    /^ {2}Sun 29 Mar 2026, 03:00:00 CEST .*moved: 02:30 is skipped by a clock change$/,
  )
  assert.match(lines[2] ?? '', /^ {2}Mon 30 Mar 2026, 02:30:00 CEST/)
  const twice = await say(t, dir, [
    'next',
    'report',
    '--at',
    '2026-10-24T22:00:00Z',
    '--count',
    '1',
    '--json',
  ])
  const [slot] = JSON.parse(twice.out).slots
  assert.equal(slot.at, '2026-10-25T00:30:00.000Z')
  assert.equal(slot.local, '2026-10-25T02:30:00+02:00')
  assert.match(slot.note, /^merged/)
  assert.match(
    (await say(t, dir, ['next', 'once', '--count', '2', '--at', '2027-01-01'])).out,
    /29 Feb 2028.*\n.*29 Feb 2032/,
  )

  const unknown = await say(t, dir, ['next', 'raport'])
  assert.deepEqual([unknown.code, unknown.out], [1, ''])
  assert.match(unknown.err, /there is no job "raport"; did you mean report\?/)
  for (const [args, words] of [
    [['--at', 'tomorrow'], /--at: "tomorrow" is not a time; use 2026-03-29/],
    [['--at', '2026-02-30'], /--at: "2026-02-30" is not a time/],
    [['--count', '0'], /--count: "0" is not a whole number from 1 to 500/],
    [['--count', '1e2'], /--count/],
    [['--timezone', 'Berlin'], /--timezone: "Berlin" is not a time zone/],
  ] as const) {
    const { code, out, err } = await say(t, dir, ['next', 'report', ...args])
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.match(err, words)
  }
})

test('help covers the program and each command; a bad command exits with 2 and suggests the right one', async t => {
  const dir = jobsRepo(t, { 'manifest.ts': oneJob('() => 1') })
  const overview = await say(t, dir, ['--help'])
  assert.equal(overview.code, 0)
  for (const command of ['check', 'list', 'next', 'run']) {
    assert.match(overview.out, new RegExp(`^ {2}${command} `, 'm'))
    const help = await say(t, dir, [command, '--help'])
    assert.deepEqual([help.code, help.err], [0, ''])
    assert.match(help.out, new RegExp(`^Usage: longhouse ${command}`, 'm'))
    assert.match(help.out, /^ {2}--dir <folder>/m)
    assert.equal((await say(t, dir, ['help', command])).out, help.out)
  }
  assert.match((await say(t, dir, ['--version'])).out, /^\d+\.\d+\.\d+\n$/)
  for (const [args, words] of [
    [[], /^$/],
    [['chekc'], /there is no command "chekc"; did you mean check\?/],
    [['deploy'], /there is no command "deploy"; there are check, list, next, run, login, push, logs/],
    [['check', '--typos'], /check has no option --typos; did you mean --types\?/],
    [['check', '-x'], /check has no option -x/],
    [['check', 'manifest.ts'], /check does not know what to do with "manifest\.ts"/],
    [['list', '--json=yes'], /--json takes no value/],
    [['list', '--dir'], /--dir needs a value: --dir <folder>/],
    [['next', 'job', '--at', '--json'], /--at needs a value/],
    [
      ['next', 'job', '--at', '2026-01-01', '--at', '2026-01-02'],
      /--at is given 2 times, but only once is allowed/,
    ],
    [['next'], /next needs the id of a job/],
    [['run', 'job', 'again'], /run does not know what to do with "again"/],
    [['--json', 'list'], /options come after the command/],
  ] as const) {
    const { code, err } = await say(t, dir, args)
    assert.equal(code, 2, args.join(' '))
    assert.match(err, words)
  }
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { registry } from '../../runtime/engine.fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { say, start } from '../command.fixture.ts'
import { type RunningInstance, runningInstance } from './running-instance.fixture.ts'

const never = "cron: '0 0 1 1 *'"
/** Waits in the run for a file in `data/`. */
const manifest = `${registry}
import { existsSync, watch } from 'node:fs'
const there = (file: string) => new Promise<void>(done => {
  const watching = watch('data', () => look())
  const look = () => { if (existsSync('data/' + file)) { watching.close(); done() } }
  look()
})
jobRegistry.register({ id: 'quick', ${never}, func: () => console.log('all of it') })
jobRegistry.register({ id: 'broken', ${never}, func: () => { console.log('before'); throw new Error('no luck') } })
jobRegistry.register({ id: 'slow', ${never}, func: async () => { console.log('begun\\n'); await there('go'); console.log('done') } })
`

async function withJobs(t: TestContext): Promise<RunningInstance> {
  const instance = await runningInstance(t)
  await instance.live('daily-digest')
  mkdirSync(join(instance.jobsDir, 'data'), { recursive: true })
  writeFileSync(join(instance.jobsDir, 'manifest.ts'), manifest)
  await instance.live('quick', 'broken', 'slow')
  return instance
}

/** A person with a folder of their own, and what they set. */
function person(t: TestContext, env: Record<string, string> = {}) {
  const dir = temporaryFolder(t)
  const all = { XDG_CONFIG_HOME: join(dir, 'config'), ...env }
  return {
    dir,
    tokens: join(dir, 'config/longhouse/tokens.json'),
    say: (...args: string[]) => say(t, dir, args, all),
    start: (...args: string[]) => start(t, dir, args, all),
  }
}

test('a token that login was given is kept for its instance, where other users cannot read it', async t => {
  const { origin, token } = await runningInstance(t)
  const { tokens, start, say, dir } = person(t)
  const login = async (text: string, ...args: string[]) => {
    const command = start('login', ...args)
    command.process.stdin?.end(text)
    return command.ended
  }
  const nowhere = await login('lht_x\n')
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.err, /login needs the address of the instance/)
  assert.match((await login('hunter2\n', origin)).err, /this is no API token/)
  assert.match((await login('lht_wrong\n', origin)).err, /says: The token does not belong to this instance/)
  assert.match((await login('lht_x\n', 'ftp://acme')).err, /"ftp:\/\/acme" is not the address of an instance/)
  assert.equal(statSync(tokens, { throwIfNoEntry: false }), undefined, 'what does not work is not kept')

  const secret = await token('read')
  const kept = await login(`${secret}\n`, origin)
  assert.equal(kept.code, 0, kept.err)
  assert.ok(!kept.err.includes(secret) && !kept.out.includes(secret))
  assert.deepEqual(JSON.parse(readFileSync(tokens, 'utf8')), { [origin]: secret })
  assert.equal(statSync(tokens).mode & 0o777, 0o600)

  // It is found by the address in package.json as well.
  const other = { 'https://other.example.com': 'lht_other', [origin]: secret }
  writeFileSync(tokens, JSON.stringify(other))
  assert.match((await say('logs', 'daily-digest')).err, /it could be https:\/\/other\.example\.com or http:/)
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({ devDependencies: { longhouse: `${origin}/sdk/longhouse-1.0.0.tgz` } }),
  )
  assert.match((await say('logs', 'daily-digest')).err, /daily-digest has not run yet/)

  chmodSync(tokens, 0o644)
  assert.match((await say('logs', 'daily-digest')).err, /other users can read .*tokens\.json.*chmod 600/)
  chmodSync(tokens, 0o600)
  writeFileSync(tokens, '{')
  assert.match((await say('logs', 'daily-digest')).err, /tokens\.json is damaged/)
})

test('a token from the environment goes only to the address that the environment names', async t => {
  const { say, dir } = person(t, { LONGHOUSE_TOKEN: 'lht_x' })
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({ devDependencies: { longhouse: 'http://127.0.0.1:1/sdk/longhouse-1.0.0.tgz' } }),
  )
  const { code, err } = await say('logs', 'job')
  assert.equal(code, 1)
  assert.match(err, /LONGHOUSE_TOKEN is set, but not LONGHOUSE_URL/)
  const without = person(t)
  assert.match((await without.say('logs', 'job')).err, /sign in with: longhouse login/)
  const closed = person(t, { LONGHOUSE_URL: 'http://127.0.0.1:1', LONGHOUSE_TOKEN: 'lht_x' })
  assert.match(
    (await closed.say('logs', 'job')).err,
    /http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
  )
})

test('logs shows the last run of a job, or the run that is named, and ends as it did', async t => {
  const { origin, token, ask } = await withJobs(t)
  const { say } = person(t, { LONGHOUSE_URL: origin, LONGHOUSE_TOKEN: await token('read') })
  assert.match((await say('logs', 'quick')).err, /quick has not run yet; wait .* longhouse logs -f quick/)
  assert.match((await say('logs', 'nothing')).err, /No job "nothing" is registered/)
  assert.match((await say('logs', 'run_nothing')).err, /There is no run "run_nothing"/)
  assert.equal((await say('logs')).code, 2)

  const run = async (id: string) => (await ask<{ id: string }>(`/api/jobs/${id}/run`, {})).id
  const quick = await run('quick')
  const followed = await say('logs', '-f', quick)
  assert.deepEqual([followed.code, followed.out], [0, 'all of it\n'])
  const shown = await say('logs', 'quick')
  assert.deepEqual([shown.code, shown.out], [0, 'all of it\n'])
  assert.match(shown.err, new RegExp(`^${quick} of quick, api\\n✓ ${quick} succeeded after `))
  assert.match((await say('logs', quick, '--timestamps')).out, /^\d{4}-\d\d-\d\dT\S+Z out all of it\n$/)

  const broken = await say('logs', '--follow', await run('broken'))
  assert.deepEqual([broken.code, broken.out], [1, 'before\n'])
  assert.match(broken.err, /✗ run_\w+ failed after .*: no luck\n +at .*\.ts:\d+:\d+/)
})

test('logs -f shows a run as it writes, and then the next runs of its job, until Ctrl-C', async t => {
  const { origin, token, ask, jobsDir } = await withJobs(t)
  const { start } = person(t, { LONGHOUSE_URL: origin, LONGHOUSE_TOKEN: await token('read') })
  const job = start('logs', '-f', 'slow')
  await eventually('it waits', () => /waiting for the next run of slow/.test(job.text()))
  const { id } = await ask<{ id: string }>('/api/jobs/slow/run', {})
  await eventually('the beginning is there', () => job.text().includes('begun\n\n'))
  assert.ok(!job.text().includes('done'))
  const one = start('logs', '-f', id)
  await eventually('the beginning is there again', () => one.text().includes('begun\n\n'))
  writeFileSync(join(jobsDir, 'data/go'), '')
  const { code, out } = await one.ended
  assert.deepEqual([code, out], [0, 'begun\n\ndone\n'])

  const next = await ask<{ id: string }>('/api/jobs/slow/run', {})
  await eventually('the next run is shown', () => job.text().includes(`✓ ${next.id} succeeded`))
  job.process.kill('SIGINT')
  const all = await job.ended
  assert.deepEqual([all.code, all.out], [130, 'begun\n\ndone\nbegun\n\ndone\n'])
})

test('push sends what is committed, and shows what the manifest said; the token is nowhere to be found', async t => {
  const instance = await runningInstance(t)
  await instance.live('daily-digest')
  const secret = await instance.token('write')
  const { dir } = person(t)
  const clone = join(dir, 'clone')
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=Bob', '-c', 'user.email=bob@example.com']
    return execFileSync('git', ['-C', clone, ...identity, ...args], { encoding: 'utf8' })
  }
  execFileSync('git', ['clone', '--quiet', instance.jobsDir, clone])
  const env = { LONGHOUSE_URL: instance.origin, LONGHOUSE_TOKEN: secret, GIT_TRACE: '1', GIT_TRACE_CURL: '1' }
  const push = (more: Record<string, string> = {}) => say(t, clone, ['push'], { ...env, ...more })

  writeFileSync(
    join(clone, 'manifest.ts'),
    `${registry}jobRegistry.register({ id: 'mine', ${never}, func: () => 1 })\n`,
  )
  const before = await push()
  assert.match(before.err, /warning 1 file has changes that are not committed, and are not sent/)
  git('commit', '--quiet', '--all', '--message', 'My job')
  git('remote', 'add', 'instance', `${instance.origin}/jobs.git`)
  const config = readFileSync(join(clone, '.git/config'), 'utf8')
  const pushed = await push()
  assert.equal(pushed.code, 0, pushed.err)
  assert.match(pushed.err, /^remote: .*mine/m)
  await instance.live('mine')
  assert.ok(!pushed.err.includes(secret) && !pushed.out.includes(secret), 'git traces arguments and headers')
  assert.equal(readFileSync(join(clone, '.git/config'), 'utf8'), config, 'nothing is written there')
  assert.equal(git('rev-parse', 'refs/remotes/instance/main'), git('rev-parse', 'HEAD'))

  writeFileSync(join(clone, 'manifest.ts'), 'jobRegistry.register(\n')
  git('commit', '--quiet', '--all', '--message', 'Broken')
  assert.match((await push()).err, /^remote: .*manifest\.ts:2/m)
  await instance.live('mine')

  const reader = await push({ LONGHOUSE_TOKEN: await instance.token('read') })
  assert.equal(reader.code, 1)
  assert.match(reader.err, /scope/)
  const stranger = await push({ LONGHOUSE_TOKEN: 'lht_wrong' })
  assert.equal(stranger.code, 1)
  assert.match(stranger.err, /The token does not belong to this instance/)
})

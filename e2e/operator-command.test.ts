import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { programRoot } from '../src/root.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { noRestic } from '../src/testing/restic.ts'
import { drivers, startLonghouse, testImage } from './longhouse.fixture.ts'
import { operator } from './operator.fixture.ts'

interface Shown {
  subdomain: string
  status: string
  password?: string
  image: string
  operation: { kind: string; status: string } | null
}

const noDocker = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false
const noTerminal = spawnSync('script', ['--version']).error
  ? 'needs the program script, of util-linux'
  : false

test('an operator creates, lists, stops, starts, restarts and purges an instance', async t => {
  const dataRoot = temporaryFolder(t)
  const { port, token, instance } = await startLonghouse(t, { driver: 'process', dataRoot })
  const url = `http://control.localhost:${port}`
  const { say } = operator(t, { LONGHOUSE_URL: url, LONGHOUSE_TOKEN: token })
  const json = async <T>(...args: string[]) => JSON.parse((await say([...args, '--json'])).out) as T

  assert.deepEqual(await json('instances'), { instances: [], total: 0 })
  assert.match((await say(['instances'])).err, /There are no such instances/)
  assert.match((await say(['overview'])).out, /Nothing needs you[\s\S]*^instances +0$/m)

  const without = await say(['create', 'acme'])
  assert.equal(without.code, 2)
  assert.match(without.err, /create needs --owner <email>/)
  const wrong = await say(['create', 'acme', '--owner', 'bob'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /says: owner_email: must be an email address/)
  assert.equal(wrong.err.trim().split('\n').length, 1, 'each fault once')

  const made = await say(['create', 'acme', '--owner', 'bob@example.com', '--wait'])
  assert.equal(made.code, 0, made.err)
  assert.match(
    made.out,
    /^acme: provision succeeded, running at http:\/\/acme\.localhost:\d+\npassword: \S+\n$/,
  )
  assert.match(made.err, /✓ wait until healthy/)
  const [, password = ''] = /password: (\S+)/.exec(made.out) ?? []
  assert.equal((await instance('acme', '/api/auth/password', { body: { password } })).status, 200)
  const again = await say(['create', 'acme', '--owner', 'eve@example.com'])
  assert.equal(again.code, 1)
  const other = await json<Shown>('create', 'beta', '--owner', 'bob@example.com', '--wait')
  assert.equal(other.status, 'running')
  assert.ok(other.password, 'only the first answer has it')

  const list = await say(['instances'])
  assert.match(
    list.out,
    /^NAME +STATUS +VERSION +DISK +OWNER +NOTES\nacme +running .*bob@example\.com\nbeta +running/,
  )
  const { instances, total } = await json<{ instances: Shown[]; total: number }>(
    'instances',
    '--search',
    'bet',
  )
  assert.deepEqual([instances.map(each => each.subdomain), total], [['beta'], 1])
  assert.match((await say(['instances', '--limit', '1'])).err, /1 of 2/)
  assert.equal((await say(['instances', '--limit', 'all'])).code, 2)
  assert.match((await say(['instance', 'acme'])).out, /^acme {2}running\naddress .*\nowner +bob@example\.com/)
  const unknown = await say(['instance', 'nothing'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /No instance is called "nothing"/)
  const escaping = await say(['instance', '../overview'])
  assert.match(escaping.err, /No instance is called|subdomain/)

  const stopping = await say(['stop', 'acme'])
  assert.equal(stopping.code, 0)
  assert.match(stopping.out, /^acme: stop (in progress|succeeded)/)
  const stopped = await json<Shown>('stop', 'acme', '--wait')
  assert.equal(stopped.status, 'stopped')
  assert.equal((await say(['start', 'acme', '--timeout', '5s'])).code, 2)
  assert.match((await say(['start', 'acme', '--wait', '--timeout', 'soon'])).err, /"soon" is not a duration/)
  assert.equal((await json<Shown>('instance', 'acme')).status, 'stopped', 'nothing of it was sent')
  const started = await say(['start', 'acme', '-w'])
  assert.match(started.out, /^acme: start succeeded, running at/)
  assert.match((await say(['restart', 'acme', '-w'])).out, /^acme: restart succeeded/)
  assert.equal((await say(['restart'])).code, 2)
  assert.match((await say(['restart', '--outdated'])).err, /No instance runs with older settings/)
  const { operation } = await json<Shown & { operation: { id: string } }>('instance', 'acme')
  assert.match(
    (await say(['operation', operation.id])).out,
    /^restart succeeded after .* by admin token[\s\S]*wait until healthy +done/m,
  )

  assert.match((await say(['history', 'acme'])).out, /^available in 24 hours[\s\S]*^restart succeeded/m)
  assert.equal((await say(['usage', 'acme', '--period', 'hour'])).code, 0)
  assert.match((await say(['usage', 'acme', '--period', 'minute'])).err, /is none of hour, day/)
  const some = ['--filter', 'status=running', '--dry-run']
  assert.match(
    (await say(['bulk', 'stop', ...some])).out,
    /^NAME.*\nacme +would be asked\nbeta +would be asked\n$/,
  )
  assert.match((await say(['bulk', 'start', '--instance', 'beta'])).out, /beta +unchanged/)
  assert.equal((await say(['bulk', 'start'])).code, 2)
  assert.match((await say(['bulk', 'explode', ...some])).err, /action: must be one of start/)
  assert.match((await say(['instances', '--filter', 'status=failed'])).err, /no such instances/)
  assert.match((await say(['instances', '--sort', 'shoe'])).err, /sort/)
  const newest = JSON.parse((await say(['instances', '--sort', '-created', '--json'])).out) as {
    instances: { created_at: string }[]
  }
  const times = newest.instances.map(({ created_at }) => created_at)
  assert.deepEqual(times, times.toSorted().toReversed())
  assert.equal((await say(['instances', '--sort', '--json'])).code, 2)

  mkdirSync(join(dataRoot, 'stranger'))
  const orphans = JSON.parse((await say(['orphans', '--compare', '--json'])).out) as {
    items: { id: string; name: string; repair: string | null }[]
  }
  const stray = orphans.items.find(({ name }) => name === 'stranger')
  assert.ok(stray, JSON.stringify(orphans))
  assert.match((await say(['orphans'])).out, /^ID +KIND +NAME[\s\S]*stranger/)
  if (stray.repair !== null)
    assert.match((await say(['orphans', 'repair', stray.id, '--dry-run'])).out, /^would be done: /)
  assert.equal((await say(['orphans', 'repair', 'nothing'])).code, 1)
  assert.match((await say(['disk'])).out, /^free +.* of [\s\S]*^volumes /m)
  assert.match((await say(['disk', 'prune', '--dry-run'])).err, /^0 images would be removed/m)

  const quotas = await say(['quotas', '--data-root', dataRoot])
  if (process.getuid?.() === 0) {
    assert.match(
      quotas.out,
      /^NAME +QUOTA IS.*\nacme +(watched|to set) .*\nbeta +(watched|to set) /,
      quotas.err,
    )
    assert.equal(quotas.code, 0)
  } else assert.match(quotas.err, /as root|watched/)
  assert.match((await say(['quotas', '--data-root', '/nonexistent'])).err, /\/nonexistent is not a folder/)
  assert.match((await say(['quotas'])).err, /name it with --data-root/)

  const log = await say(['logs', 'acme', '--lines', '3'])
  assert.match(log.out, /^(\d{4}-\d\d-\d\dT\S+Z (out|err) .*\n){1,3}$/)
  assert.equal((await say(['logs', 'acme', '--search', 'nothing has these words'])).out, '')
  assert.match((await say(['logs', 'acme', '--since', 'soon'])).err, /since: must be a time/)
  assert.match((await say(['logs', 'acme', '--timestamps'])).err, /--timestamps belongs to the log of a run/)
  const followed = say(['logs', '-f', 'acme'])
  assert.equal((await say(['stop', 'acme', '--wait'])).code, 0)
  const all = await followed
  assert.equal(all.code, 0)
  assert.match(all.out, /^\d{4}-\S+ (out|err) /)
  assert.match(all.err, /acme: the instance is not running/)
  assert.equal((await say(['stop', 'acme', '--wait'])).out, 'acme: stopped\n', 'there was nothing to do')
  assert.equal((await say(['start', 'acme', '--wait'])).code, 0)

  const handed = await json<Shown>('transfer', 'acme', 'eve@example.com', '--wait')
  assert.ok(handed.password && handed.password !== password)
  assert.ok((await json<Shown>('reset-password', 'acme', '--wait')).password)
  assert.equal((await json<Shown>('delete', 'acme', '--wait')).status, 'deleted')
  assert.match((await say(['restore', 'acme', '--wait'])).out, /running at/)

  for (const typed of ['', 'acme\n', 'no\n']) {
    const refused = await say(['purge', 'beta'], typed)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /deletes the data of beta for good[\s\S]*nothing was deleted/)
  }
  assert.equal((await json<Shown>('instance', 'beta')).status, 'running')
  assert.equal((await say(['purge', 'beta', '--wait'], 'beta\n')).code, 0)
  assert.equal((await say(['purge', 'acme', '--yes', '--wait'])).code, 0)
  assert.deepEqual(await json('instances'), { instances: [], total: 0 })

  const entries = await say(['audit', '--action', 'purge'])
  assert.match(entries.out, /^AT +WHO[\s\S]*admin token +purge +acme/)
  assert.match((await say(['audit', '--verify'])).out, /entries, none changed or removed/)
  const csv = await say(['audit', '--export', 'csv', '--instance', 'acme'])
  assert.match(csv.out, /^seq,[\s\S]*purge/)
  assert.match((await say(['audit', '--export', 'xml'])).err, /--export: "xml" is none of jsonl, csv/)
})

test('an operation that fails ends with 1, and its reason', async t => {
  const { port, token, dataRoot, provision } = await startLonghouse(t, { driver: 'process' })
  const { say } = operator(t, { LONGHOUSE_URL: `http://control.localhost:${port}`, LONGHOUSE_TOKEN: token })
  await provision('acme')
  assert.equal((await say(['stop', 'acme', '--wait'])).code, 0)
  rmSync(join(dataRoot, 'acme'), { recursive: true })
  const failed = await say(['start', 'acme', '--wait'])
  assert.equal(failed.code, 1, failed.out)
  assert.match(failed.out, /^acme: start failed, failed: .*volume/i)
  assert.match((await say(['overview'])).out, /^✗ .*acme/m)
})

test('copies are made, proven, restored and downloaded', { skip: noRestic }, async t => {
  const { port, token, dataRoot, provision } = await startLonghouse(t, { driver: 'process' })
  const { say, dir } = operator(t, {
    LONGHOUSE_URL: `http://control.localhost:${port}`,
    LONGHOUSE_TOKEN: token,
  })
  await provision('acme')
  assert.match((await say(['backups', 'acme'])).err, /longhouse backup acme makes one/)
  const made = await say(['backup', 'acme', '--wait', '--json'])
  assert.equal(made.code, 0, made.err)
  const { id, status } = JSON.parse(made.out) as { id: string; status: string }
  assert.equal(status, 'kept')
  const verified = await say(['verify', 'acme', id, '--wait'])
  assert.match(verified.out, new RegExp(`^${id}: kept, .*proven `))
  assert.equal(verified.code, 0)
  assert.match((await say(['backups', 'acme'])).out, new RegExp(`^ID +STATUS.*\n${id} +kept .* demand `))
  assert.match((await say(['backup'])).out, /records of the control plane are backed up/)

  writeFileSync(join(dataRoot, 'acme/jobs/later.txt'), 'later')
  const back = await say(['restore', 'acme', id, '--wait'])
  assert.equal(back.code, 0, back.out + back.err)
  assert.match(back.out, /^acme: restore succeeded, running/)
  assert.ok(!existsSync(join(dataRoot, 'acme/jobs/later.txt')))
  const into = await say(['restore', 'acme', id, '--into', 'twin', '--wait'])
  assert.match(into.out, /^twin: .*\npassword: /)
  assert.equal((await say(['restore', 'acme', '--into', 'twin'])).code, 2)

  assert.equal((await say(['upgrade', 'acme', '--wait'])).code, 0)
  assert.equal((await say(['rollback', 'acme', '--wait'])).code, 0)

  assert.equal((await say(['archive', 'acme', '-o', 'acme.tgz'])).code, 0)
  assert.match(execFileSync('tar', ['tzf', join(dir, 'acme.tgz')], { encoding: 'utf8' }), /manifest\.ts/)
  assert.equal(statSync(join(dir, 'acme.tgz')).mode & 0o777, 0o600)
  assert.match((await say(['archive', 'acme', '-o', 'acme.tgz'])).err, /EEXIST/)
})

test('a fresh host is restored from a store by the same command, with what is needed beside it', async t => {
  const { say, dir } = operator(t, { LONGHOUSE_DATA_ROOT: '/nonexistent' })
  const { code, err } = await say(['restore', `${dir}/store`])
  assert.equal(code, 1)
  assert.match(err, /BACKUP_PASSWORD_FILE: put the password of the store/)
  assert.equal((await say(['restore', `${dir}/store`, 'copy_x'])).code, 2)
})

test('tokens and alerts are managed; a token with a smaller role is refused in the words of the API', async t => {
  const { port, token, provision } = await startLonghouse(t, { driver: 'process' })
  const LONGHOUSE_URL = `http://control.localhost:${port}`
  const { say } = operator(t, { LONGHOUSE_URL, LONGHOUSE_TOKEN: token })
  await provision('acme')
  assert.equal((await say(['tokens', 'create', 'reader'])).code, 2)
  assert.match(
    (await say(['tokens', 'create', 'reader', '--role', 'king'])).err,
    /is none of read, operate, own/,
  )
  const made = await say(['tokens', 'create', 'reader', '--role', 'read'])
  assert.match(made.out, /^lho_\S+\n$/)
  const reader = operator(t, { LONGHOUSE_URL, LONGHOUSE_TOKEN: made.out.trim() })
  assert.equal((await reader.say(['instances'])).code, 0)
  const refused = await reader.say(['stop', 'acme'])
  assert.equal(refused.code, 1)
  assert.match(refused.err, /This needs the role "operate"/)
  const list = await say(['tokens'])
  const [, id = ''] = /^(tok_\S+) +reader +read +all +just now|^(tok_\S+) +reader/m.exec(list.out) ?? []
  assert.equal((await say(['tokens', 'revoke', id])).code, 0)
  assert.match((await reader.say(['instances'])).err, /token/)
  assert.match((await say(['tokens', 'creat'])).err, /there is tokens create, tokens revoke/)

  assert.match((await say(['alerts'])).err, /No alert is open/)
  assert.equal((await say(['alerts', 'silence'])).code, 2)
  const silenced = await say(['alerts', 'silence', '--instance', 'acme', '--for', '2h'])
  const [silence = ''] = silenced.out.split(':')
  assert.match((await say(['alerts'])).out, new RegExp(`^${silence}: all alerts of acme silenced until`))
  assert.equal((await say(['alerts', 'end-silence', silence])).code, 0)

  assert.equal((await say(['env', 'set', 'acme', 'REGION'], '\n')).code, 2)
  assert.equal((await say(['env', 'set', 'acme', 'REGION'], 'eu\n')).code, 0)
  const variables = await say(['env', 'acme'])
  assert.match(variables.out, /^NAME +VALUE +SET +BY\nREGION +\(secret\) +.*admin token\n$/)
  assert.match(variables.err, /until it is restarted/)
  assert.match((await say(['env', 'set', 'acme', 'LONGHOUSE_PORT'], '1')).err, /name/)
  assert.equal((await say(['env', 'unset', 'acme', 'REGION', '--restart', '--wait'])).code, 0)
  assert.match((await say(['env', 'acme'])).err, /No variables are set for acme/)
  assert.match((await say(['operators'])).err, /There are no operators beside the admin token/)

  assert.match((await say(['metrics'])).out, /^# HELP longhouse_/)
  assert.equal((await say(['open', 'acme'])).out, `http://acme.localhost:${port}\n`)
  assert.equal((await say(['open', 'acme', '--page'])).out, `${LONGHOUSE_URL}/admin/instances/acme\n`)
  assert.match((await say(['api', '/admin/orphans'])).out, /^\{"containers":\[/)
  assert.match((await say(['api', '/admin/tokens', '-d', '{"name": 1}'])).err, /name/)
  assert.equal((await say(['api', '/admin/tokens', '-d', '{name}'])).code, 2)
  assert.equal((await say(['api', 'http://elsewhere.example.com/'])).code, 2)
})

test('the control plane is found by the environment, beside its own data root, or by the only token that is kept', async t => {
  const { port, token, dataRoot, provision } = await startLonghouse(t, { driver: 'process' })
  const origin = `http://control.localhost:${port}`
  await provision('acme')
  const stranger = operator(t)
  assert.match(
    (await stranger.say(['instances'])).err,
    /sign in with: longhouse login https:\/\/control\.example\.com/,
  )
  assert.match((await operator(t, { LONGHOUSE_TOKEN: token }).say(['instances'])).err, /not LONGHOUSE_URL/)
  const customer = operator(t, { LONGHOUSE_URL: origin, LONGHOUSE_TOKEN: 'lht_x' })
  assert.match((await customer.say(['instances'])).err, /is one of an instance/)

  // In its container, the settings are those of the control plane.
  const local = operator(t, { LONGHOUSE_DATA_ROOT: dataRoot, LONGHOUSE_PORT: String(port) })
  assert.match((await local.say(['instances'])).out, /acme/)

  const wrong = await stranger.say(['login', origin], 'a-token-that-is-not-the-one\n')
  assert.equal(wrong.code, 1)
  const login = await stranger.say(['login', origin], `${token}\n`)
  assert.equal(login.code, 0, login.err)
  assert.ok(!login.err.includes(token))
  assert.match((await stranger.say(['instances'])).out, /acme/)
  // A token for one instance is kept as well, although it may not list them.
  const one = await local.say(['tokens', 'create', 'one', '--role', 'operate', '--instance', 'acme'])
  assert.equal((await stranger.say(['login', origin], one.out)).code, 0)
  assert.equal((await stranger.say(['instance', 'acme'])).code, 0)
  assert.match((await stranger.say(['instances'])).err, /only for .*acme|instance/)

  const kept = join(stranger.dir, 'config/longhouse/tokens.json')
  const all = { ...(JSON.parse(readFileSync(kept, 'utf8')) as object), 'https://acme.example.com': 'lht_x' }
  writeFileSync(kept, JSON.stringify(all))
  assert.equal((await stranger.say(['instance', 'acme'])).code, 0, 'tokens of instances do not count')
  assert.match(
    (await stranger.say(['logs', 'acme'])).err,
    /the log of a job or of an instance; set LONGHOUSE_URL/,
  )
  assert.match((await stranger.say(['push', '--dir', '.'])).err, /manifest\.ts/)
  writeFileSync(kept, JSON.stringify({ ...all, 'https://control.example.com': 'lho_x' }))
  assert.match(
    (await stranger.say(['instances'])).err,
    /it could be http:.* or https:\/\/control\.example\.com/,
  )
})

test('tables fit the terminal, and colours appear only there', { skip: noTerminal }, async t => {
  const { port, token, provision } = await startLonghouse(t, { driver: 'process' })
  await provision('acme', `${'long'.repeat(20)}@example.com`)
  const { env, say, dir } = operator(t, {
    LONGHOUSE_URL: `http://control.localhost:${port}`,
    LONGHOUSE_TOKEN: token,
  })
  const piped = (await say(['instances'])).out
  assert.match(piped, /(long){20}@example\.com/)
  assert.ok(!piped.includes('\u001b'))
  const program = `'${process.execPath}' '${programRoot('dist/longhouse.js')}'`
  const inTerminal = (line: string, more: Record<string, string> = {}) =>
    execFileSync('script', ['-qec', `stty cols 60; ${line}`, '/dev/null'], {
      cwd: dir,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TERM: 'xterm', ...env, ...more },
    }).replaceAll('\r', '')
  const plain = inTerminal(`${program} instances`, { NO_COLOR: '1' })
  assert.ok(!plain.includes('\u001b'))
  const [head = '', row = ''] = plain.split('\n')
  assert.match(head, /^NAME/)
  assert.equal(row.length, 60)
  assert.match(row, /…$/)
  assert.ok(inTerminal(`${program} instances`).includes('\u001b[32mrunning\u001b[39m'))
  for (const each of inTerminal(`${program} --help`).split('\n').slice(2, -5))
    assert.ok(each.length <= 60, each)
})

test('the fleet is upgraded in waves', { skip: noRestic || noDocker }, async t => {
  const { port, token, provision } = await startLonghouse(t, { driver: 'docker' })
  const { say } = operator(t, {
    LONGHOUSE_URL: `http://control.localhost:${port}`,
    LONGHOUSE_TOKEN: token,
  })
  const another = `longhouse-runtime:another-${process.pid}`
  execFileSync('docker', ['build', '--quiet', '--tag', another, '-'], {
    input: `FROM ${testImage}\nLABEL another=${process.pid}\n`,
  })
  const names = ['one', 'two'].map(name => `${name}-${process.pid}`)
  const [one = '', two = ''] = names
  t.after(() => execFileSync('docker', ['image', 'rm', '--force', another]))
  await Promise.all(names.map(name => provision(name)))
  assert.match((await say(['upgrades'])).err, /There was no fleet upgrade yet/)
  const order = ['--image', another, '--first', two, '--soak', '0s']
  const preview = await say(['upgrades', 'preview', ...order])
  assert.equal(preview.err, '')
  assert.match(preview.out, new RegExp(`^2 instances to ${another}, about .*\nWAVE +INSTANCE.*\n1 +${two}`))
  assert.match(
    (await say(['upgrades', 'start', '--parallel', 'x'])).err,
    /--parallel: "x" is not a whole number/,
  )
  const wrong = await say(['upgrades', 'start', ...order, '--halt-after', '0'])
  assert.match(wrong.err, /halt_after: must be a whole number from 1/)
  const upgraded = await say(['upgrades', 'start', ...order, '--wait'])
  assert.equal(upgraded.code, 0, upgraded.out + upgraded.err)
  const [id = ''] = /^\w+/.exec(upgraded.out) ?? []
  assert.match(upgraded.out, new RegExp(`: done, to ${another}: 2 upgraded`))
  assert.match((await say(['upgrades'])).out, new RegExp(`^ID +STATE[\\s\\S]*\\n${id} +done `))
  assert.match((await say(['upgrades', 'undo', id, '--wait'])).out, new RegExp(`^${id}: undone`))
  assert.match((await say(['upgrades', 'show', id])).out, new RegExp(one))
  assert.equal((await say(['upgrades', 'pause', id])).code, 1)
})

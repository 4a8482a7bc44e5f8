import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { builtRoot } from '../../src/root.ts'
import { holdLock } from '../../src/storage/database.ts'
import { ask } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { token } from '../provisioner/fleet.fixture.ts'
import { backupFleet } from './backup.fixture.ts'

const run = promisify(execFile)

/** The program as an operator starts it on a fresh host. */
async function restore(env: Record<string, string>): Promise<string> {
  const { stdout } = await run(process.execPath, [builtRoot('restore.js')], {
    env: { PATH: process.env.PATH, ...env },
  })
  return stdout
}

async function wordsOf(work: Promise<string>): Promise<string> {
  return await work.then(
    out => out,
    (error: { stderr: string }) => error.stderr,
  )
}

test('an empty data root becomes whole: records, instances, secrets and passwords', {
  skip: noRestic,
}, async t => {
  const place = temporaryFolder(t)
  const store = join(place, 'store')
  const env = { BACKUP_STORE: store }
  const first = join(place, 'first')
  const { acme } = await firstHost(t, first, env)

  const second = join(place, 'second')
  const again = { ...env, LONGHOUSE_DATA_ROOT: second }
  assert.match(await wordsOf(restore(again)), /BACKUP_PASSWORD_FILE: put the password of the store into/)
  assert.ok(!existsSync(second), 'nothing was made')
  assert.match(
    await wordsOf(restore({ ...env, LONGHOUSE_DATA_ROOT: first })),
    /this data root has a control plane\. Nothing was changed/,
  )
  mkdirSync(join(second, '.control'), { recursive: true })
  const keep = (name: string) => copyFileSync(join(first, '.control', name), join(second, '.control', name))
  keep('backup-password')
  // One that was killed in the middle: a control plane that started on it would have no records, and the next restore no place.
  const draft = join(second, '.control/longhouse.db.restoring')
  for (const ending of ['', '-wal']) writeFileSync(`${draft}${ending}`, 'half of it')
  await assert.rejects(
    backupFleet(t, { root: second, env }),
    /the restore into .* was interrupted\. Run the restore again; to start with no records instead, delete/,
  )
  const lock = holdLock(join(second, '.control/lock'))
  assert.match(
    await wordsOf(restore(again)),
    /a control plane, or another restore, runs on .*Nothing was changed/,
  )
  lock?.release()
  const said = await restore(again)
  assert.match(said, /with 2 instances/)
  assert.deepEqual(
    readdirSync(join(second, '.control')).filter(name => name.includes('restoring')),
    [],
  )
  assert.match(said, /Put back .*instance-secrets-key before you start/)
  keep('instance-secrets-key')

  // The first start ends before anything is restored; the next one still knows which backups to fall back on.
  await (await backupFleet(t, { root: second, env })).program.stop()
  const fleet = await backupFleet(t, { root: second, env })
  const status = async (name: string) => (await fleet.admin('GET', `/admin/instances/${name}`)).body
  for (const name of ['acme', 'idle'])
    await eventually(
      `${name} is restored`,
      async () => {
        const { operation } = await status(name)
        assert.notEqual(operation?.status, 'failed', operation?.error ?? '')
        return operation?.status === 'succeeded'
      },
      { withinMs: 120_000 },
    )
  assert.equal((await status('acme')).status, 'running')
  assert.equal((await status('acme')).id, acme.id)
  assert.equal((await status('idle')).status, 'stopped')
  const owner = await fleet.asOwner('acme', acme.password)
  const { body: file } = await owner.get<{ content: string }>('/api/jobs/repo/files/notes.txt')
  assert.equal(file.content, 'kept', 'the data are those of the newest backup that was made here and works')
  const reasons = (await fleet.copies('acme')).map(({ reason }) => reason)
  assert.deepEqual(reasons.filter(reason => reason === 'upload').length, 2, 'an upload stays an upload')
  const { body: secrets } = await owner.get<{ secrets: { name: string; readable?: boolean }[] }>(
    '/api/secrets',
  )
  assert.equal(JSON.stringify(secrets).includes('TOKEN'), true)
  assert.equal(readFileSync(join(second, 'idle/jobs/data/own.txt'), 'utf8'), 'idle data')
  assert.ok(!existsSync(join(second, '.control/restored-from-store')))
})

async function firstHost(t: TestContext, root: string, env: Record<string, string>) {
  const ended: (() => Promise<void> | void)[] = []
  const fleet = await backupFleet(
    { after: end => void ended.push(end as () => void) },
    { root, env: { ...env, BACKUP_EVERY: '1h' } },
  )
  t.after(() => Promise.all(ended.map(end => end())))
  const { body: acme } = await fleet.provision('acme')
  const owner = await fleet.asOwner('acme', acme.password ?? '')
  await owner.post('/api/jobs/repo/init')
  await owner.put('/api/jobs/repo/files/notes.txt', { content: 'of another time' })
  const archive = await packed(join(root, 'acme'))
  await owner.put('/api/jobs/repo/files/notes.txt', { content: 'kept' })
  await owner.put('/api/secrets/TOKEN', { value: 'a secret value' })
  await fleet.provision('idle')
  await fleet.admin('POST', '/admin/instances/idle/stop', { wait: 60 })
  mkdirSync(join(root, 'idle/jobs/data'), { recursive: true })
  writeFileSync(join(root, 'idle/jobs/data/own.txt'), 'idle data')
  // The records are copied before the copies of the instances: those are found in the store.
  const records = await fleet.admin('POST', '/admin/backup')
  assert.equal(records.status, 201, JSON.stringify(records.body))
  await fleet.copy('acme')
  await fleet.copy('idle')
  // Newer than the backup, and none of them may take its place: archives that were uploaded, and a backup that is not whole.
  const upload = (body: Buffer) =>
    ask({
      ...{ port: fleet.port, host: 'control.localhost', method: 'POST', body },
      path: '/admin/instances/acme/backups',
      headers: { Authorization: `Bearer ${token}` },
    })
  assert.equal((await upload(archive)).status, 201)
  assert.equal((await upload(gzipSync('no archive'))).status, 400)
  await fleet.program.stop()
  await keepBroken(root, env.BACKUP_STORE ?? '', acme.id)
  rmSync(join(root, 'acme'), { recursive: true })
  return { acme: { id: acme.id, password: acme.password ?? '' } }
}

/** An archive as owners download it. */
async function packed(volume: string): Promise<Buffer> {
  const { stdout } = await run(
    process.execPath,
    [builtRoot('copy.js'), 'pack', volume, '{"portable":true}'],
    {
      encoding: 'buffer',
      maxBuffer: 1024 ** 3,
    },
  )
  return gzipSync(stdout)
}

/** Puts a backup into the store whose data are not whole. */
async function keepBroken(root: string, store: string, instanceId: string): Promise<void> {
  const tags = { copy: 'copy_broken', instance: instanceId, name: 'acme', reason: 'schedule', image: '' }
  const restic = spawn(
    'restic',
    [
      ...['backup', '--stdin', '--stdin-filename', 'volume.tar', '--host', 'longhouse'],
      ...Object.entries(tags).flatMap(([key, value]) => ['--tag', `${key}=${value}`]),
    ],
    {
      env: {
        ...process.env,
        RESTIC_REPOSITORY: store,
        RESTIC_PASSWORD_FILE: join(root, '.control/backup-password'),
      },
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  )
  restic.stdin.end('not an archive')
  assert.deepEqual(await once(restic, 'close'), [0, null])
}

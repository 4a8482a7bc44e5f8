import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { noRestic } from '../src/testing/restic.ts'
import { drivers, type InstanceJson, type Longhouse, startLonghouse } from './longhouse.fixture.ts'

const run = promisify(execFile)
const restoreProgram = join(import.meta.dirname, '../dist/restore.js')

interface BackupJson {
  id: string
  verified_at: string | null
}

async function write(longhouse: Longhouse, password: string, content: string): Promise<void> {
  const api = await longhouse.login('copied', password)
  const answer = await api('/api/jobs/repo/files/notes.txt', { method: 'PUT', body: { content } })
  assert.equal(answer.status, 200, answer.text)
}

async function read(longhouse: Longhouse, password: string): Promise<string> {
  const api = await longhouse.login('copied', password)
  return (await api('/api/jobs/repo/files/notes.txt')).json<{ content: string }>().content
}

for (const { driver, skip } of drivers) {
  test(`a copy is proven, restored though the control plane is killed, and makes a fresh host whole, ${driver} driver`, {
    skip: skip || noRestic,
    timeout: 600_000,
  }, async t => {
    const place = temporaryFolder(t)
    const dataRoot = join(place, 'first')
    mkdirSync(dataRoot)
    const env = { BACKUP_STORE: join(place, 'store') }
    const start = () => startLonghouse(t, { driver, dataRoot, env })
    let longhouse = await start()
    const { password, id } = await longhouse.provision('copied')
    await (await longhouse.login('copied', password))('/api/jobs/repo/init', { method: 'POST' })
    await write(longhouse, password, 'in the copy')
    const made = await longhouse.admin('/admin/instances/copied/backup', { method: 'POST', wait: 100 })
    assert.equal(made.status, 201, made.text)
    const copy = made.json<BackupJson>()
    const verify = `/admin/instances/copied/backups/${copy.id}/verify`
    const proven = await longhouse.admin(verify, { method: 'POST', wait: 100 })
    assert.equal(proven.status, 200, proven.text)
    assert.notEqual(proven.json<BackupJson>().verified_at, null)

    await t.test('a restore goes on after each kill, and loses nothing', async () => {
      await write(longhouse, password, 'after the copy')
      const accepted = await longhouse.admin('/admin/instances/copied/restore', { body: { backup: copy.id } })
      assert.equal(accepted.status, 202, accepted.text)
      const { id: operation } = accepted.json<InstanceJson>().operation ?? { id: '' }
      // Killed as soon as a step is reached, once for each: the swap and what surrounds it too.
      for (const step of ['fetch copy', 'copy data', 'swap volume', 'wait until healthy']) {
        await eventually(`the step ${step}`, async () => {
          const { status, steps } = (await longhouse.admin(`/admin/operations/${operation}`)).json<
            NonNullable<InstanceJson['operation']>
          >()
          return status !== 'running' || steps.find(({ name }) => name === step)?.status !== 'pending'
        })
        await longhouse.end('SIGKILL')
        longhouse = await start()
      }
      await eventually('the restore is over', async () => {
        const { status } = (await longhouse.admin(`/admin/operations/${operation}`)).json<{
          status: string
        }>()
        return status !== 'pending' && status !== 'running'
      })
      const done = (await longhouse.admin(`/admin/operations/${operation}`)).text
      assert.match(done, /"status":"succeeded"/)
      assert.equal(await read(longhouse, password), 'in the copy')
      const { backups } = (await longhouse.admin('/admin/instances/copied/backups')).json<{
        backups: (BackupJson & { reason: string })[]
      }>()
      const before = backups.find(({ reason }) => reason === 'restore')
      assert.ok(before, 'the data of before were copied')
      const back = { body: { backup: before.id }, wait: 100 }
      const undone = await longhouse.admin('/admin/instances/copied/restore', back)
      assert.equal(undone.json<InstanceJson>().operation?.status, 'succeeded', undone.text)
      assert.equal(await read(longhouse, password), 'after the copy')
      assert.deepEqual(readdirSync(join(dataRoot, '.control/restores')), [])
    })

    await t.test('an empty data root becomes whole', async () => {
      const newest = await longhouse.admin('/admin/instances/copied/backup', { method: 'POST', wait: 100 })
      assert.equal(newest.status, 201, newest.text)
      const records = await longhouse.admin('/admin/backup', { method: 'POST' })
      assert.equal(records.status, 201, longhouse.output())
      await longhouse.end('SIGKILL')
      if (driver === 'docker') await new Docker().getContainer('longhouse-copied').remove({ force: true })
      const second = join(place, 'second')
      mkdirSync(join(second, '.control'), { recursive: true })
      for (const key of ['backup-password', 'instance-secrets-key'])
        copyFileSync(join(dataRoot, '.control', key), join(second, '.control', key))
      await run(process.execPath, [restoreProgram, env.BACKUP_STORE], {
        env: { PATH: process.env.PATH, LONGHOUSE_DATA_ROOT: second },
      })
      longhouse = await startLonghouse(t, { driver, dataRoot: second, env })
      await eventually('the instance runs', async () => {
        const { status } = (await longhouse.admin('/admin/instances/copied')).json<InstanceJson>()
        return status === 'running'
      })
      assert.equal((await longhouse.admin('/admin/instances/copied')).json<InstanceJson>().id, id)
      assert.equal(await read(longhouse, password), 'after the copy')
      assert.ok(existsSync(join(second, 'copied/.longhouse-volume')))
    })
  })
}

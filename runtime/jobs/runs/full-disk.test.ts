import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../../src/log.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import { createEngine, registry, standingClock, until } from '../../engine.fixture.ts'
import { openVolume } from '../../open-volume.ts'

test('slots that could not run on a full disk are missed for that reason, which health reports meanwhile', async t => {
  const disk = smallDisk(t, { mebibytes: 16 })
  if (!disk) return
  mkdirSync(join(disk.dir, 'jobs'))
  const job = "jobRegistry.register({ id: 'job', cron: '0 * * * *', func: () => 1, catchUp: 'none' })"
  writeFileSync(join(disk.dir, 'jobs/manifest.ts'), registry + job)
  const at = (time: string) => Date.parse(`2026-03-10T${time}Z`)
  const clock = standingClock(at('07:59:00'))
  const volume = openVolume(disk.dir)
  // A log that has room in itself would take some slots all the same.
  volume.sqlite.pragma('wal_autocheckpoint = 1')
  const engine = await createEngine({ volume, log: silentLog, clock, heartbeat: false })
  t.after(() => engine.stop())
  await until(() => engine.manifest().commit, 'the set is live')
  volume.sqlite.pragma('journal_size_limit = 0')
  volume.sqlite.pragma('wal_checkpoint(TRUNCATE)')

  disk.fill()
  clock.at = at('08:00:00.010')
  assert.throws(() => engine.tick(clock.at), { code: 'SQLITE_FULL' })
  assert.throws(() => engine.checks.get('volume')?.(), /the disk is full/)
  clock.at = at('08:30:00')
  assert.throws(() => engine.tick(clock.at), { code: 'SQLITE_FULL' })

  disk.free()
  clock.at = at('08:50:00')
  engine.tick(clock.at)
  await engine.checks.get('volume')?.()
  const [slot] = engine.slots('job', { limit: 1 }).slots
  assert.deepEqual(
    [slot?.at, slot?.outcome, slot?.reason],
    [at('08:00:00'), 'missed', 'the disk was full, so no run could be recorded'],
  )
})

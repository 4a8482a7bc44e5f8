import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { claimVolume } from '../../src/storage/volume-identity.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { startRuntime } from '../program.ts'

test('an instance starts only on its own volume, and writes nothing to another', async t => {
  const dir = join(temporaryFolder(t), 'volume')
  const env = {
    LONGHOUSE_DATA_DIR: dir,
    LONGHOUSE_PORT: '0',
    LONGHOUSE_PASSWORD: 'correct horse',
    LONGHOUSE_INSTANCE_ID: 'inst_one',
    LONGHOUSE_VOLUME_ID: 'inst_one',
  }
  const boot = () => startRuntime({ env, log: silentLog, clock: systemClock, spawned: false })
  await assert.rejects(
    boot(),
    /LONGHOUSE_DATA_DIR: .* is not the volume of inst_one: it does not say whose it is/,
  )
  mkdirSync(dir)
  await assert.rejects(boot(), /Nothing was written\. Is its disk mounted\?/)
  assert.deepEqual(readdirSync(dir), [])
  assert.equal(await claimVolume(dir, 'inst_other', null), true)
  await assert.rejects(boot(), /is not the volume of inst_one: it says inst_other/)
  assert.deepEqual(readdirSync(dir), ['.longhouse-volume'])
  // Half of a mark that was being written when the power went.
  writeFileSync(join(dir, '.longhouse-volume.new'), 'inst_')
  assert.equal(await claimVolume(dir, 'inst_one', null), false, 'another has it')
  assert.equal(await claimVolume(dir, 'inst_one', 'inst_other'), true)
  const runtime = await boot()
  await runtime.started
  await runtime.stop({ patience: false })
})

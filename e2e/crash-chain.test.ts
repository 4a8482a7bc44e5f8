import assert from 'node:assert/strict'
import { test } from 'node:test'
import Docker from 'dockerode'
import { randomText } from '../src/ids.ts'
import { noRestic } from '../src/testing/restic.ts'
import { anotherImage } from './another-image.fixture.ts'
import { dieAtEach, type Extent, works } from './crash/chain.fixture.ts'
import { drivers } from './longhouse.fixture.ts'

/**
 * With 1, or with names of work, every point on every driver, and at each instance; see `crash-matrix.test.ts`. Without it, one piece of
 * work a day on the process driver, at every fourth point.
 */
const full = process.env.LONGHOUSE_FULL_MATRIX ?? ''
const day = Math.floor(Date.now() / 86_400_000)
const all = works(randomText(4).toLowerCase())
const chosen =
  full === ''
    ? all.filter((_, index) => index === day % all.length)
    : all.filter(({ name }) => full === '1' || full.split(',').includes(name))
const ofToday: Extent = { times: 1, every: 4, turn: Math.floor(day / all.length) }

for (const { driver, skip } of drivers)
  for (const work of full === '' && driver === 'docker' ? [] : chosen)
    test(`${work.name} is killed at each point, one life after another, ${driver} driver`, {
      skip: skip || noRestic,
      timeout: 7_200_000,
    }, async t => {
      const otherImage = driver === 'docker' ? await anotherImage(t, new Docker()) : null
      const extent = full === '' ? ofToday : { times: work.instances.length, every: 1, turn: 0 }
      const { killed, faults } = await dieAtEach(t, { driver, otherImage }, work, extent)
      t.diagnostic(`${driver} driver, day ${day}: ${work.name} was killed at ${killed.length} points`)
      t.diagnostic(killed.join('; '))
      assert.deepEqual(faults, [])
      assert.ok(killed.length >= 3, `killed only at ${killed.join('; ')}`)
    })

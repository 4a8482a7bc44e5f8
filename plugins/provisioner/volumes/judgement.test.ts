import assert from 'node:assert/strict'
import { test } from 'node:test'
import { purgeFault, type VolumeRecord, type VolumeSight, volumeFault } from './volume.ts'

const file = '1:2:3'
const sights = {
  nothing: { kind: 'absent' },
  'a file': { file, kind: 'not-a-folder' },
  'an empty folder': { file, kind: 'fresh', names: [] },
  'a folder with a cloned jobs repo': { file, kind: 'fresh', names: ['jobs', 'notes', 'photos', 'readme'] },
  'data without a mark': { file, kind: 'unmarked' },
  'its own volume': { file, kind: 'marked', id: 'inst_1' },
  'another instance’s volume': { file, kind: 'marked', id: 'inst_2' },
  'a mark that cannot be read': { file, kind: 'marked', id: '' },
} as const satisfies Record<string, VolumeSight>
type Place = keyof typeof sights

const records = {
  'was never started': {},
  'was ready once': { readyAt: 1, volumeMarkedAt: 1 },
  'was ready before volumes were marked': { readyAt: 1 },
  'may begin with an empty volume': { readyAt: 1, volumeMarkedAt: 1, volumePermit: 'new' },
  'may adopt what is there': { readyAt: 1, volumeMarkedAt: 1, volumePermit: 'adopt' },
} as const satisfies Record<string, Partial<VolumeRecord>>

const record = (more: Partial<VolumeRecord>): VolumeRecord => ({
  ...{ id: 'inst_1', readyAt: null, volumeMarkedAt: null, volumePermit: null, removal: null },
  ...more,
})

/** Where an instance may start; everything else keeps it from starting. */
const starts: Record<keyof typeof records, readonly Place[]> = {
  'was never started': [
    ...(['nothing', 'an empty folder', 'a folder with a cloned jobs repo'] as const),
    ...(['data without a mark', 'its own volume'] as const),
  ],
  'was ready once': ['its own volume'],
  'was ready before volumes were marked': ['data without a mark', 'its own volume'],
  'may begin with an empty volume': [
    ...(['nothing', 'an empty folder', 'a folder with a cloned jobs repo', 'its own volume'] as const),
  ],
  'may adopt what is there': [
    ...(['data without a mark', 'its own volume'] as const),
    ...(['another instance’s volume', 'a mark that cannot be read'] as const),
  ],
}
for (const [name, places] of Object.entries(starts) as [keyof typeof records, readonly Place[]][])
  test(`an instance that ${name} starts on what is its own`, () => {
    for (const [place, sight] of Object.entries(sights) as [Place, VolumeSight][]) {
      const fault = volumeFault(record(records[name]), '/data/acme', sight)
      assert.equal(fault === null, places.includes(place), place)
    }
  })

test('a missing volume is distinguished from another one in its place', () => {
  const kinds = Object.entries(sights).map(([place, sight]) => [
    place,
    volumeFault(record(records['was ready once']), '/data/acme', sight)?.kind ?? null,
  ])
  assert.deepEqual(Object.fromEntries(kinds), {
    nothing: 'missing',
    'a file': 'foreign',
    'an empty folder': 'missing',
    'a folder with a cloned jobs repo': 'missing',
    'data without a mark': 'foreign',
    'its own volume': null,
    'another instance’s volume': 'foreign',
    'a mark that cannot be read': 'foreign',
  })
})

/** What a purge deletes without further options. */
const deleted: Record<keyof typeof records, readonly Place[]> = {
  'was never started': ['nothing', 'an empty folder', 'its own volume'],
  'was ready once': ['nothing', 'an empty folder', 'its own volume'],
  'was ready before volumes were marked': [
    ...(['nothing', 'an empty folder', 'data without a mark', 'its own volume'] as const),
  ],
  // What was permitted for a start permits nothing to a purge.
  'may begin with an empty volume': ['nothing', 'an empty folder', 'its own volume'],
  'may adopt what is there': ['nothing', 'an empty folder', 'its own volume'],
}
for (const [name, places] of Object.entries(deleted) as [keyof typeof records, readonly Place[]][])
  test(`a purge of an instance that ${name} deletes only what is its own`, () => {
    for (const [place, sight] of Object.entries(sights) as [Place, VolumeSight][]) {
      const fault = purgeFault(record(records[name]), '/data/acme', sight)
      assert.equal(fault === null, places.includes(place), place)
    }
  })

test('the fault says what is there', () => {
  const words = (place: Place) => purgeFault(record({}), '/data/acme', sights[place])
  assert.equal(
    words('a folder with a cloned jobs repo'),
    'the folder at /data/acme does not say whose it is; it holds jobs, notes, photos and 1 more',
  )
  assert.match(words('another instance’s volume') ?? '', /says that it belongs to another instance, inst_2$/)
  assert.match(words('a mark that cannot be read') ?? '', /does not say readably whose it is$/)
})

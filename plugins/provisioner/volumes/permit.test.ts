import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import type { Removal } from '../schema.ts'
import { deleteVolume } from './deletion.ts'
import { lookAtVolume, permitFor } from './volume.ts'

const mark = '.longhouse-volume'

interface Place {
  root: string
  path: string
  make(folder: string, id: string | null): void
  permit(): Promise<string>
  purge(volumePermit: string | null, owner?: string | null): Promise<string | undefined>
}

function place(t: TestContext): Place {
  const root = temporaryFolder(t)
  const path = join(root, 'acme')
  const make = (folder: string, id: string | null) => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'longhouse.db'), '')
    if (id !== null) writeFileSync(join(folder, mark), `${id}\n`)
  }
  const permit = async () => {
    const sight = await lookAtVolume(path)
    assert.ok(sight.kind !== 'absent')
    return permitFor(sight)
  }
  const purge = (volumePermit: string | null, owner: string | null = null) =>
    deleteVolume(
      root,
      {
        ...{ id: 'inst_acme', subdomain: 'acme', readyAt: 1, volumeMarkedAt: 1, volumePermit: null },
        removal: { volumePermit } as Removal,
      },
      { look: lookAtVolume, ownerOf: () => owner },
    )
  return { root, path, make, permit, purge }
}

test('a purge deletes the folder that the operator allowed to be deleted', async t => {
  const { path, make, permit, purge } = place(t)
  make(path, 'inst_other')
  await assert.rejects(purge(null), /belongs to another instance, inst_other, and was not deleted/)
  await purge(await permit())
  assert.equal(existsSync(path), false)
})

for (const [what, spoil] of Object.entries({
  'another folder of the same content': ({ root, path, make }) => {
    make(join(root, 'new'), 'inst_other')
    renameSync(path, join(root, 'away'))
    renameSync(join(root, 'new'), path)
  },
  'a folder that was made once that one was deleted, and may have got its inode': ({ path, make }) => {
    rmSync(path, { recursive: true })
    make(path, 'inst_other')
  },
  'the same folder, which says that it is another instance’s by now': ({ path }) =>
    writeFileSync(join(path, mark), 'inst_third\n'),
  'the same folder, which does not say whose it is any more': ({ path }) => rmSync(join(path, mark)),
} satisfies Record<string, (place: Place) => void>))
  test(`a permit to delete does not cover ${what}`, async t => {
    const there = place(t)
    const { path, make, permit, purge } = there
    make(path, 'inst_other')
    const given = await permit()
    spoil(there)
    await assert.rejects(purge(given), /was not deleted; it is not what you allowed to be deleted/)
    assert.ok(existsSync(join(path, 'longhouse.db')))
    await purge(await permit())
    assert.equal(existsSync(path), false)
  })

test('a permit never deletes the volume of an instance that has a record', async t => {
  const { path, make, permit, purge } = place(t)
  make(path, 'inst_other')
  await assert.rejects(purge(await permit(), 'other'), /move it to where "other" has its own/)
  assert.ok(existsSync(path))
})

test('the instance’s own volume needs no permit, and a permit for another one does not save it', async t => {
  const { path, make, purge } = place(t)
  make(path, 'inst_acme')
  await purge('1:2:3 inst_other')
  assert.equal(existsSync(path), false)
})

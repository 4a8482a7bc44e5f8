import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { cloneVolume } from './clone.ts'

/** A name in Latin-1: "é" is one byte, which is not UTF-8. */
const bytes = (path: string) => Buffer.from(path, 'latin1')

test('names that are not UTF-8 are cloned as they are: of files, folders and links, and what links lead to', async t => {
  const root = temporaryFolder(t)
  const [from, to] = [join(root, 'from'), join(root, 'to')]
  mkdirSync(join(from, 'jobs/.git/objects'), { recursive: true })
  writeFileSync(bytes(`${from}/caf\xe9`), 'a file')
  writeFileSync(bytes(`${from}/jobs/.git/objects/\xe9`), 'an object')
  mkdirSync(bytes(`${from}/d\xe9j\xe0/vu\xff`), { recursive: true })
  writeFileSync(bytes(`${from}/d\xe9j\xe0/vu\xff/file`), 'a deep file')
  symlinkSync(bytes('caf\xe9'), bytes(`${from}/l\xe9`))
  assert.deepEqual(await cloneVolume(from, to), { files: 4 })
  assert.equal(readFileSync(bytes(`${to}/caf\xe9`), 'utf8'), 'a file')
  assert.equal(readFileSync(bytes(`${to}/jobs/.git/objects/\xe9`), 'utf8'), 'an object')
  assert.equal(readFileSync(bytes(`${to}/d\xe9j\xe0/vu\xff/file`), 'utf8'), 'a deep file')
  assert.deepEqual(readlinkSync(bytes(`${to}/l\xe9`), 'buffer'), bytes('caf\xe9'))
  assert.deepEqual(readdirSync(to, 'buffer').sort(), readdirSync(from, 'buffer').sort())
})

test('what the runtime makes again is left out, at the top only', async t => {
  const root = temporaryFolder(t)
  const [from, to] = [join(root, 'from'), join(root, 'to')]
  for (const folder of ['packages', 'cache', 'jobs/packages'])
    mkdirSync(join(from, folder), { recursive: true })
  writeFileSync(join(from, 'packages/large'), '')
  writeFileSync(join(from, 'jobs/packages/own'), '')
  assert.deepEqual(await cloneVolume(from, to), { files: 1 })
  assert.deepEqual(
    [existsSync(join(to, 'packages')), readdirSync(join(to, 'jobs/packages'))],
    [false, ['own']],
  )
})

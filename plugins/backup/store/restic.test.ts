import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { PassThrough, type Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { resticInstalled, resticStore } from './restic.ts'
import type { CopyTags, Store } from './store.ts'

const motoServer = (process.env.PATH ?? '')
  .split(delimiter)
  .map(folder => join(folder, 'moto_server'))
  .find(existsSync)
/**
 * Debian has no small server for S3, those on npm do not understand restic's signatures, and `.ci/run` installs nothing from elsewhere:
 * this is skipped there, too, unless it is installed.
 */
const noS3 = motoServer ? false : 'needs a server for S3: pip install "moto[s3,server]"'

const never = new AbortController().signal

function storeAt(t: TestContext, repository?: string, environment: Record<string, string> = {}) {
  const place = temporaryFolder(t)
  const passwordFile = join(place, 'password')
  writeFileSync(passwordFile, 'a password')
  const address = repository ?? join(place, 'store')
  return {
    place,
    address,
    store: resticStore({ repository: address, passwordFile, folder: place, environment }),
  }
}

const tagsOf = (instance: string, copy: string): CopyTags => ({
  ...{ copy, instance, name: 'acme', reason: 'demand', image: 'longhouse-runtime:1,2' },
})

const writing = (text: string) => async (output: Writable) => {
  for (let piece = 0; piece < 50; piece++)
    if (!output.write(`${text} ${piece}\n`)) await once(output, 'drain')
}

async function textOf(store: Store, snapshot: string): Promise<string> {
  const output = new PassThrough()
  const [pieces] = await Promise.all([Array.fromAsync(output), store.read(snapshot, output, never)])
  return Buffer.concat(pieces).toString()
}

async function tryStore(store: Store): Promise<void> {
  await store.open({ inUse: false })
  await store.open({ inUse: true })
  const [one, two] = await Promise.all([
    store.put(tagsOf('inst_1', 'copy_1'), writing('one'), never),
    store.put(tagsOf('inst_2', 'copy_2'), writing('two'), never),
  ])
  const records = await store.put(null, writing('records'), never)
  assert.match(await textOf(store, one.snapshot), /^one 0\none 1\n/)
  assert.equal((await textOf(store, records.snapshot)).length, records.bytes)
  const listed = await store.list()
  assert.deepEqual(
    new Map(listed.map(({ snapshot, tags }) => [snapshot, tags?.copy ?? null])),
    new Map([
      [one.snapshot, 'copy_1'],
      [two.snapshot, 'copy_2'],
      [records.snapshot, null],
    ]),
  )
  // Named by mistake, or by someone else: neither another instance's copy nor the records are deleted.
  await store.forget('inst_1', [one.snapshot, two.snapshot, records.snapshot])
  const left = (await store.list()).map(({ snapshot }) => snapshot)
  assert.deepEqual(left.sort(), [two.snapshot, records.snapshot].sort())
  await store.prune()
  assert.match(await textOf(store, two.snapshot), /^two 0\n/)
}

test('a folder is a store: copies are kept, read and deleted, each only for its own instance', {
  skip: noRestic,
}, async t => {
  const { store } = storeAt(t)
  await tryStore(store)
})

test('a store at an S3 server works the same, and one that is away is said in words', {
  skip: noRestic || noS3,
}, async t => {
  const { port, stop } = await startS3(t)
  const environment = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  const { store } = storeAt(t, `s3:http://127.0.0.1:${port}/copies`, environment)
  await tryStore(store)
  await stop()
  // restic itself tries for minutes; what it is ended with keeps nothing.
  const hurry = AbortSignal.timeout(3000)
  await assert.rejects(store.put(tagsOf('inst_1', 'copy_3'), writing('three'), hurry), /restic backup failed/)
})

test('a copy whose writer fails, or that is ended, is not kept at all', { skip: noRestic }, async t => {
  const { store } = storeAt(t)
  await store.open({ inUse: false })
  const failing = async (output: Writable) => {
    await writing('half')(output)
    throw new Error('the volume cannot be read')
  }
  await assert.rejects(store.put(tagsOf('inst_1', 'copy_1'), failing, never), /the volume cannot be read/)
  const end = new AbortController()
  const endless = async (output: Writable) => {
    await writing('half')(output)
    end.abort()
    await new Promise(() => {})
  }
  await assert.rejects(store.put(tagsOf('inst_1', 'copy_2'), endless, end.signal), /restic backup failed/)
  assert.deepEqual(await store.list(), [])
})

test('a store that has gone is not made anew, and a wrong password opens nothing', {
  skip: noRestic,
}, async t => {
  const { store, address, place } = storeAt(t)
  await store.open({ inUse: false })
  const { snapshot } = await store.put(tagsOf('inst_1', 'copy_1'), writing('one'), never)
  renameSync(address, `${address}.elsewhere`)
  await assert.rejects(store.open({ inUse: true }), /there is no store at .* Is its disk mounted\?/)
  assert.ok(!existsSync(address))
  await assert.rejects(store.read(snapshot, new PassThrough().resume(), never), /restic snapshots failed/)
  renameSync(`${address}.elsewhere`, address)
  writeFileSync(join(place, 'password'), 'another password')
  await assert.rejects(store.open({ inUse: true }), /wrong password/)
})

test('without restic, the error says how to get it', async t => {
  const { address, place } = storeAt(t)
  const passwordFile = join(place, 'password')
  const options = { repository: address, passwordFile, folder: place, environment: {} }
  const store = resticStore({ ...options, program: join(place, 'restic') })
  await assert.rejects(store.open({ inUse: false }), /restic is not installed.*apt-get install restic/)
  assert.equal(resticInstalled(place), false)
})

async function startS3(t: TestContext) {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  const child = spawn(motoServer ?? '', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(stop)
  await eventually('the S3 server answers', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null)
    return answer !== null
  })
  return { port, stop }
}

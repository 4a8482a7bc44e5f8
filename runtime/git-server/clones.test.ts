import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type CloneLimits, openClones } from './clones.ts'

const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim()
const limits: CloneLimits = {
  limitMs: 600_000,
  memoryMb: 256,
  arrivalMs: 600_000,
  pace: { graceMs: 600_000, bytesPerSecond: 1024 },
}

/** Clones of a repo whose pack is larger than what pipes and streams hold. */
function clonesOf(t: TestContext, changed: Partial<CloneLimits> = {}) {
  const jobsDir = join(temporaryFolder(t), 'jobs')
  mkdirSync(join(jobsDir, '../tmp'), { recursive: true })
  mkdirSync(jobsDir, { recursive: true })
  writeFileSync(join(jobsDir, 'large.bin'), randomBytes(4 * 1024 * 1024))
  const as = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
  const done = (...args: string[]) => execFileSync('git', args, { cwd: jobsDir, encoding: 'utf8' }).trim()
  done('init', '-q', '-b', 'main')
  done('add', '.')
  done(...as, 'commit', '-q', '-m', 'large')
  const head = done('rev-parse', 'HEAD')
  const clones = openClones({ git, jobsDir, limits: { ...limits, ...changed } })
  t.after(() => clones.stop())
  async function* wanting() {
    yield Buffer.from(`0032want ${head}\n00000009done\n`)
  }
  const clone = (client: string, body: AsyncIterable<Uint8Array> = wanting()) =>
    clones.answer({ client, shown: { branch: 'main', head }, protocol: '', body })
  return { clone }
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>) => {
  let bytes = 0
  for await (const piece of stream) bytes += piece.byteLength
  return bytes
}

test('clients that do not read their clones lose their places', async t => {
  const { clone } = clonesOf(t, { pace: { graceMs: 100, bytesPerSecond: 1024 ** 3 } })
  const stuck = await Promise.all(['one', 'two', 'three'].map(client => clone(client)))
  const cuts = stuck.map(
    stream =>
      new Promise<Error>(resolve => {
        stream.once('error', resolve)
        stream.once('readable', () => {})
      }),
  )
  const [piece] = [await clone('four')]
  for (const error of await Promise.all(cuts)) assert.match(error.message, /reads too slowly/)
  piece.destroy()
})

test('a client that reads gets all of its clone, and one whose request does not arrive loses its place', async t => {
  const { clone } = clonesOf(t, { arrivalMs: 100 })
  async function* never() {
    yield Buffer.from('00')
    await new Promise(() => {})
  }
  await assert.rejects(bytesOf(await clone('slow', never())), /took too long to arrive/)
  assert.ok((await bytesOf(await clone('one'))) > 4 * 1024 * 1024)
})

test('one client leaves a place to the others, and waits itself', async t => {
  const { clone } = clonesOf(t)
  const held = [await clone('one'), await clone('one')]
  const waiting = Array.from({ length: 4 }, () => clone('one'))
  await assert.rejects(clone('one'), /Too many clones with the same token/)
  assert.ok((await bytesOf(await clone('other'))) > 4 * 1024 * 1024)
  for (const stream of held) stream.destroy()
  for (const each of waiting) assert.ok((await bytesOf(await each)) > 4 * 1024 * 1024)
})

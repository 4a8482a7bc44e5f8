import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRegistry } from '../runtime/packages/registry.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { noContainers, startInContainer } from './container.fixture.ts'

const mebibyte = 1024 * 1024

/** The files of a package of 128 MiB, which take a quarter of that on the way, as packages do. */
function large(): Record<string, Buffer | string> {
  const file = Buffer.concat([randomBytes(mebibyte / 16), Buffer.alloc((3 * mebibyte) / 16, 'what is said ')])
  const files = Array.from({ length: 512 }, (_, number) => [`files/${number}.txt`, file])
  return { ...Object.fromEntries(files), 'index.js': 'export const here = true' }
}

const manifest = (names: readonly string[]) =>
  [
    "import { jobRegistry } from 'longhouse/jobs'",
    `jobRegistry.register({ id: 'count', cron: '@daily', func: async () => {
      const all = await Promise.all(${JSON.stringify(names)}.map(name => import(name)))
      return all.filter(each => each.here).length
    } })`,
    "jobRegistry.register({ id: 'tick', cron: '*/5 * * * * *', func: async () => 'ran' })",
  ].join('\n')

test('a gigabyte of packages is installed while jobs run; more than the limit is refused in words, and goes', {
  skip: noContainers,
  timeout: 600_000,
}, async t => {
  const instance = await startInContainer(t, 'large-packages', {
    INSTANCE_PACKAGES_LIMIT: '1200m',
    INSTANCE_MEMORY: '512m',
  })
  const { save, jobs, run, api, volume } = instance
  const registry = await startRegistry(t, { host: instance.hostAddress })
  const names = Array.from({ length: 12 }, (_, number) => `large-${number}`)
  registry.publish('large', '1.0.0', large())
  const ask = (wanted: readonly string[]) => {
    const dependencies = Object.fromEntries(wanted.map(name => [name, 'npm:large@1.0.0']))
    save('package.json', JSON.stringify({ type: 'module', dependencies }))
    save('manifest.ts', manifest(wanted))
  }
  const installed = () => readdirSync(join(volume, 'packages')).filter(name => /^[0-9a-f]{20}$/.test(name))
  const minutes = { withinMs: 5 * 60_000 }

  save('.npmrc', `registry=${registry.url}/\n`)
  ask([])
  await eventually('the jobs are live', async () => (await jobs()).jobs.some(({ id }) => id === 'tick'))

  ask(names.slice(0, 8))
  await eventually('a gigabyte is installed', async () => installed().length === 1, minutes)
  const counted = await eventually(
    'its jobs are live',
    async () => {
      const { result } = await run('count')
      return result === 8 && result
    },
    minutes,
  )
  assert.equal(counted, 8)

  ask(names)
  const { errors } = await eventually(
    'it is refused',
    async () => {
      const { manifest } = await jobs()
      return (
        manifest.status === 'error' && manifest.errors.some(({ message }) => /GiB/.test(message)) && manifest
      )
    },
    minutes,
  )
  assert.match(
    errors.map(({ message }) => message).join('\n'),
    /the packages take 1\.\d GiB, more than the 1\.2 GiB that an installation may have\. The largest: large-\d+ \(12\d MiB\), .*INSTANCE_PACKAGES_LIMIT/,
  )
  assert.equal((await run('count')).result, 8, 'the jobs keep what they have')
  await eventually('what was too large is gone', () => {
    const left = readdirSync(join(volume, 'packages'))
    return left.length === 1 && left[0] === installed()[0]
  })

  const { slots } = (await api('/api/jobs/tick/slots?limit=500')).json<{
    slots: { slot: string; outcome: string }[]
  }>()
  const at = slots.map(({ slot }) => Date.parse(slot)).sort((one, other) => one - other)
  assert.ok(at.length > 3)
  for (const [index, slot] of at.slice(1).entries())
    assert.equal(slot - (at[index] ?? 0), 5000, 'no due time is left out')
  assert.deepEqual(
    slots.filter(({ outcome }) => outcome === 'missed'),
    [],
  )
})

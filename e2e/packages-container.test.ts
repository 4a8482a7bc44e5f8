import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runAllInClone } from '../runtime/modules/clone.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { drivers, startLonghouse } from './longhouse.fixture.ts'
import { filesOf, groups, noRegistry } from './packages.fixture.ts'

const docker = drivers.find(({ driver }) => driver === 'docker')

interface RunJson {
  id: string
  status: string
  result: unknown
  error: { message: string; stack: string | null } | null
}

/** Native packages, packages that read files beside themselves, and the jobs of a new user. */
for (const name of ['files', 'newcomer']) {
  test(`packages of the group ${name}, in the container of an instance`, { skip: docker?.skip }, async t => {
    const why = await noRegistry()
    if (why) return t.skip(why)
    const longhouse = await startLonghouse(t, { driver: 'docker' })
    const { password } = await longhouse.provision('acme')
    const api = await longhouse.login('acme', password)
    const volume = join(longhouse.dataRoot, 'acme')
    const save = (file: string, text: string) => {
      mkdirSync(dirname(join(volume, 'jobs', file)), { recursive: true })
      writeFileSync(join(volume, 'jobs', file), text)
    }
    trustAuthority(join(volume, 'jobs'), save)
    const files = filesOf(name)
    const { 'package.json': manifest = '', ...others } = files
    for (const [file, text] of Object.entries(others)) save(file, text)
    save('package.json', manifest)

    const jobs = groups.find(group => group.name === name)?.jobs ?? []
    await eventually(
      'the packages are installed, and the jobs are live',
      async () => {
        const state = (await api('/api/jobs')).json<{
          jobs: { id: string }[]
          manifest: { errors: unknown[] }
        }>()
        const listed = state.jobs.map(({ id }) => id)
        return jobs.every(id => listed.includes(id))
      },
      { withinMs: 5 * 60_000 },
    )
    const installed = readdirSync(join(volume, 'packages')).find(each => /^[0-9a-f]{20}$/.test(each)) ?? ''
    const clones = await runAllInClone(t, files, join(volume, 'packages', installed, 'node_modules'))
    for (const id of jobs) {
      await t.test(id, async () => {
        const reply = await api(`/api/jobs/${id}/run`, { method: 'POST', headers: { Prefer: 'wait=60' } })
        const run = reply.json<RunJson>()
        assert.equal(run.error ?? null, null, `${run.error?.message}\n${run.error?.stack}`)
        assert.equal(clones[id]?.error, undefined)
        assert.deepEqual(run.result, clones[id]?.result)
      })
    }
  })
}

/** Where this machine reaches the registry by an authority of its own, npm in the container needs it too. */
function trustAuthority(jobsDir: string, save: (file: string, text: string) => void): void {
  const authority = process.env.NODE_EXTRA_CA_CERTS
  if (!authority) return
  copyFileSync(authority, join(jobsDir, 'authority.pem'))
  save('.npmrc', 'cafile=/data/jobs/authority.pem\n')
}

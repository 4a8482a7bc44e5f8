import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../control-plane/boot.fixture.ts'
import { ask } from '../../../src/testing/ask.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { testFleet, token } from '../fleet.fixture.ts'

test('background work that keeps failing fails a check and is shown to the operator; instances stay reachable', async t => {
  let fault: string | null = null
  const brittle = plain({
    name: 'brittle',
    setup: () => ({
      tasks: [
        {
          name: 'sweep',
          everyMs: 5,
          run: async () => {
            if (fault !== null) throw new Error(fault)
          },
        },
      ],
    }),
  })
  const fleet = await testFleet(t, { plugins: [brittle] })
  const health = () => fleet.admin<{ checks: Record<string, unknown> }>('GET', '/health')
  const page = async () => {
    const headers = { Authorization: `Bearer ${token}`, Accept: 'text/html' }
    return (await ask({ port: fleet.port, host: 'control.localhost', path: '/admin/instances', headers }))
      .text
  }
  await fleet.provision('acme')
  const well = await health()
  assert.deepEqual([well.status, well.body.checks['task brittle:sweep']], [200, { status: 'ok' }])
  assert.doesNotMatch(await page(), /Background work/)

  fault = 'the disk <holds> no such file'
  await eventually('three rounds fail', async () => (await health()).status === 503)
  const { body } = await health()
  assert.match(
    JSON.stringify(body.checks['task brittle:sweep']),
    /the last \d+ rounds failed, most recently with: the disk <holds> no such file/,
  )
  assert.match(await page(), /Background work keeps failing: brittle:sweep \(.*the disk &lt;holds&gt;/)
  assert.equal((await fleet.visit('acme')).status, 200)

  fault = null
  await eventually('a round is good', async () => (await health()).status === 200)
  assert.doesNotMatch(await page(), /Background work/)
})

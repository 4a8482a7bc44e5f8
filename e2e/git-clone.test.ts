import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gitClient } from '../src/testing/git-client.ts'
import { drivers, startLonghouse } from './longhouse.fixture.ts'

const manifest = (second: string) => `import { jobRegistry } from 'longhouse/jobs'
import { readFileSync } from 'node:fs'

jobRegistry.register({ id: 'size', cron: '0 8 * * *', func: () => readFileSync('noise.bin').length })
${second}
`

for (const { driver, skip } of drivers) {
  test(`the jobs repo is cloned and pushed through the control plane, ${driver} driver`, {
    skip,
  }, async t => {
    const longhouse = await startLonghouse(t, { driver })
    const { password } = await longhouse.provision('acme')
    const call = await longhouse.login('acme', password)
    const made = await call('/api/tokens', { body: { name: 'git', scope: 'write' } })
    const { secret } = made.json<{ secret: string }>()
    const host = `acme.localhost:${longhouse.port}`
    const { done, commit, push, git } = gitClient(t)
    await done('', 'config', '--global', 'http.curloptResolve', `${host}:127.0.0.1`)
    await done('', 'clone', '--quiet', `http://me:${secret}@${host}/jobs.git`, 'clone')

    // In pieces, because it is larger than the buffer.
    await done('clone', 'config', 'http.postBuffer', '65536')
    const noise = randomBytes(20 * 1024 * 1024)
    const live = await commit('clone', { 'manifest.ts': manifest(''), 'noise.bin': noise })
    const pushed = await push('clone')
    assert.equal(pushed.code, 0, pushed.text)
    assert.match(pushed.text, new RegExp(`remote: Live at ${live.slice(0, 12)}\\. Jobs: 1 added`))
    const run = await call('/api/jobs/size/run', { method: 'POST', headers: { Prefer: 'wait=60' } })
    const { commit: of, result } = run.json<{ commit: string; result: number }>()
    assert.deepEqual([of, result], [live, noise.length])

    const broken = await commit('clone', { 'manifest.ts': manifest("throw new Error('not today')") })
    const kept = await push('clone')
    assert.equal(kept.code, 0, kept.text)
    assert.match(kept.text, /remote: {3}manifest\.ts:5:\d+: .*not today/)
    assert.match(kept.text, /remote: The previous job keeps running\./)

    await done('clone', 'config', 'core.compression', '0')
    await commit('clone', { 'more.bin': randomBytes(100 * 1024 * 1024) })
    const refused = await push('clone')
    assert.notEqual(refused.code, 0)
    assert.match(refused.text, /remote: A push may have 50 MiB/)

    await done('', 'clone', '--quiet', `http://me:${secret}@${host}/jobs.git`, 'second')
    assert.equal(await done('second', 'rev-parse', 'HEAD'), broken)
    const stranger = await git('', 'clone', `http://me:lht_wrong@${host}/jobs.git`, 'third')
    assert.match(stranger.text, /remote: .*The token does not belong to this instance/)
  })
}

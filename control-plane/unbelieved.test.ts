import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../src/testing/ask.ts'
import { bootForTest, keptLog, plain } from './boot.fixture.ts'

test('an untrusted tunnel on this machine is logged once', async t => {
  for (const [env, warnings] of [
    [{}, 1],
    [{ ROUTER_MODE: 'behind' }, 0],
    [{ LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1' }, 0],
  ] as const) {
    const { log, lines } = keptLog()
    const port = await (await bootForTest(t, [plain({ name: 'a' })], { env, log })).listen()
    await ask({ port, host: 'control.localhost' })
    assert.doesNotMatch(lines(), /X-Forwarded/, 'a visitor of this machine is no tunnel')
    for (let i = 0; i < 3; i++) {
      await ask({ port, host: 'control.localhost', headers: { 'X-Forwarded-For': '198.51.100.7' } })
    }
    assert.equal(lines().match(/ROUTER_MODE=behind/g)?.length ?? 0, warnings, JSON.stringify(env))
  }
})

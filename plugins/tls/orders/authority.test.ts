import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { systemClock } from '../../../src/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { startEdge } from '../../router/edge.fixture.ts'
import { tls } from '../index.ts'
import { AcmeAuthority } from './authority.ts'
import { CertificateFolder } from './certificate-folder.ts'
import { noPebble, type Pebble, startPebble } from './pebble.fixture.ts'

const skip = { skip: noPebble }

/** A program that sets records, and writes down its calls. */
function hookIn(root: string, more = '') {
  const [calls, path] = [join(root, 'calls'), join(root, 'hook')]
  writeFileSync(path, `#!/bin/sh\necho "$1 $2" >> ${calls}\n${more}`)
  chmodSync(path, 0o755)
  return { path, called: () => readFileSync(calls, 'utf8') }
}

const wildcard = { name: 'example.test', hosts: ['*.example.test'], by: 'dns-01' } as const
const shop = { name: 'shop.example', hosts: ['shop.example'], by: 'http-01' } as const
const record = '_acme-challenge.example.test'

function client(
  pebble: Pebble,
  { root, hook, sleep }: { root: string; hook: string; sleep: typeof systemClock.sleep },
) {
  const folder = new CertificateFolder(join(root, 'certificates'))
  const settings = {
    directoryUrl: pebble.directory,
    // Without an email there is nothing to change of an account that is opened again.
    email: undefined,
    externalAccount: null,
    dnsHook: hook,
    dnsWaitMs: 1,
  }
  return { folder, authority: new AcmeAuthority({ settings, folder, now: Date.now, sleep }) }
}

/** Where the authority asks: it gets no answer. */
async function silent(t: TestContext, { httpPort }: Pebble, asked: () => void) {
  const server = createServer(asked)
  t.after(() => server.close().closeAllConnections())
  await new Promise<void>(done => server.listen(httpPort, done))
}

it('stops an order at once, and takes back what it set', skip, async t => {
  const pebble = await startPebble(t)
  const root = temporaryFolder(t)
  const hook = hookIn(root)
  const stopping = () => {
    const controller = new AbortController()
    const sleep = async (ms: number, signal?: AbortSignal) => {
      if (ms === 1) controller.abort()
      else await systemClock.sleep(ms, signal)
    }
    return { controller, ...client(pebble, { root, hook: hook.path, sleep }) }
  }
  const byDns = stopping()
  await assert.rejects(byDns.authority.order(wildcard, byDns.controller.signal), { name: 'AbortError' })
  assert.equal(hook.called(), `add ${record}\nremove ${record}\n`)
  assert.deepEqual(byDns.folder.records(), [])
  // The authority asks, gets no answer, and does not say how it ended.
  const byHttp = stopping()
  await silent(t, pebble, () => byHttp.controller.abort())
  await assert.rejects(byHttp.authority.order(shop, byHttp.controller.signal), { name: 'AbortError' })
  assert.deepEqual(readdirSync(byHttp.folder.challenges), [])
})

it('gives up an order that takes too long', skip, async t => {
  const pebble = await startPebble(t)
  const root = temporaryFolder(t)
  const limit = Promise.withResolvers<void>()
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === 5 * 60_000) await limit.promise
    else await systemClock.sleep(ms, signal)
  }
  const { authority, folder } = client(pebble, { root, hook: hookIn(root).path, sleep })
  await silent(t, pebble, limit.resolve)
  await assert.rejects(authority.order(shop, new AbortController().signal), {
    message: 'The order took longer than 5 minutes.',
  })
  assert.deepEqual(readdirSync(folder.challenges), [])
})

it(
  'does not wait for a program that removes no record when it stops, and has it removed later',
  skip,
  async t => {
    const pebble = await startPebble(t)
    const root = temporaryFolder(t)
    const hook = hookIn(root, '[ "$1" = add ] || exec sleep 1000\n')
    const controller = new AbortController()
    const stopped = Promise.withResolvers<void>()
    const sleep = async (ms: number, signal?: AbortSignal) => {
      if (ms === 1) controller.abort()
      else if (ms === 5000) await stopped.promise
      else await systemClock.sleep(ms, signal)
    }
    const { authority, folder } = client(pebble, { root, hook: hook.path, sleep })
    const ordered = assert.rejects(authority.order(wildcard, controller.signal), { name: 'AbortError' })
    await eventually('the program is called', () => hook.called().includes('remove'))
    stopped.resolve()
    await ordered
    const left = folder.records()
    assert.deepEqual(
      left.map(({ name }) => name),
      [record],
    )
    const again = temporaryFolder(t)
    const working = hookIn(again)
    const next = client(pebble, { root, hook: working.path, sleep })
    await next.authority.removeRecords(new AbortController().signal)
    assert.equal(working.called(), `remove ${record}\n`)
    assert.deepEqual(folder.records(), [])
  },
)

it('removes at the start what an earlier process left', async t => {
  const root = temporaryFolder(t)
  const folder = new CertificateFolder(join(root, '.control', 'certificates'))
  folder.noteRecord({ name: record, value: 'of an earlier order' })
  const hook = hookIn(root)
  const edge = await startEdge(
    {
      LONGHOUSE_DOMAIN: 'example.test',
      LONGHOUSE_DATA_ROOT: root,
      TLS_MODE: 'acme',
      TLS_PORT: '0',
      ACME_DIRECTORY: 'https://127.0.0.1:1/',
      ACME_DNS_HOOK: hook.path,
    },
    undefined,
    [tls],
  )
  t.after(() => edge.stop())
  await eventually('the record is removed', () => folder.records().length === 0)
  assert.equal(hook.called(), `remove ${record}\n`)
})

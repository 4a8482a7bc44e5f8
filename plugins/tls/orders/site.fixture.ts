import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { Concern } from '../../../src/kernel/concern.ts'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import { type ManualClock, manualClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type Edge, startEdge } from '../../router/edge.fixture.ts'
import { tls } from '../index.ts'
import type { Pebble } from './pebble.fixture.ts'

/** A control plane whose certificates come from Pebble. */
export interface Site {
  edge: Edge
  clock: ManualClock
  /** The folder of certificates. */
  folder: string
  concerns(): Promise<readonly Concern[]>
  /** Does one round of orders, after the one that is going on. */
  renew(): Promise<void>
}

/** With `orders: false` it does not wait for the first orders. */
export async function startSite(
  t: TestContext,
  pebble: Pebble,
  env: Record<string, string> = {},
  { clock = manualClock(Date.now()), orders = true } = {},
): Promise<Site> {
  const root = temporaryFolder(t)
  let concerns: Site['concerns'] | undefined
  const watching = definePlugin({
    name: 'watching',
    setup: context => {
      concerns = context.concerns
      return {}
    },
  })
  const settings = {
    LONGHOUSE_DOMAIN: 'example.test',
    LONGHOUSE_DATA_ROOT: root,
    LONGHOUSE_PORT: String(pebble.httpPort),
    TLS_MODE: 'acme',
    TLS_PORT: '0',
    ACME_DIRECTORY: pebble.directory,
    ACME_EMAIL: 'operator@example.test',
    ACME_DNS_WAIT: '0ms',
    ...env,
  }
  const edge = await startEdge(settings, clock, [tls, watching])
  t.after(() => edge.stop())
  if (!concerns) throw new Error('no one watches')
  const renew = () => edge.runOnce('tls:renew')
  if (orders) await renew()
  return { edge, clock, folder: join(root, '.control', 'certificates'), concerns, renew }
}

/** The names and the serial of the certificate that a client is shown, if it leads to the authority; else why not. */
export async function shown({ edge }: Site, pebble: Pebble, host: string): Promise<string> {
  return await new Promise(resolve => {
    const port = edge.securePort as number
    const socket = connect({ host: '127.0.0.1', port, servername: host, ca: pebble.root })
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      resolve(`${certificate?.subjectAltName} ${certificate?.serialNumber}`)
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
  })
}

/** What a client of a host is shown once the listener has looked, which it does every two seconds. */
export async function secured(site: Site, pebble: Pebble, host: string, than = ''): Promise<string> {
  return await eventually(`a certificate for ${host}`, async () => {
    const found = await shown(site, pebble, host)
    if (found.startsWith('DNS:') && found !== than) return found
    throw new Error(`a client of ${host} got ${found}`)
  })
}

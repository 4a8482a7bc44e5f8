import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { trustCertificates } from '../../../src/certificates.ts'
import { type Authority, makeAuthority } from '../../../src/testing/authority.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { eventually, listening } from '../../router/wire.fixture.ts'

const programs = ['/usr/bin/pebble', '/usr/bin/pebble-challtestsrv']
/** Why tests with Pebble are skipped; false when they are not. */
export const noPebble = programs.every(existsSync) ? false : 'pebble is not installed'

/** Let's Encrypt's authority for tests, which asks what it would ask in earnest. Every name is 127.0.0.1 for it. */
export interface Pebble {
  directory: string
  /** The port where it looks for answers over HTTP. */
  httpPort: number
  /** Where records of the DNS are set. */
  dnsManagement: string
  /** The certificate that those it issues lead to. */
  root: string
  kill(): void
  start(): Promise<void>
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise(done => server.close(done))
  return port
}

export async function startPebble(t: TestContext, config: Record<string, unknown> = {}): Promise<Pebble> {
  const authority = makeAuthority(t)
  const folder = temporaryFolder(t)
  const { cert, key } = authority.sign('127.0.0.1')
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  const [listen, manage, dns, dnsManage, httpPort] = await Promise.all(Array.from({ length: 5 }, freePort))
  const pebble = {
    listenAddress: `127.0.0.1:${listen}`,
    managementListenAddress: `127.0.0.1:${manage}`,
    certificate: join(folder, 'cert.pem'),
    privateKey: join(folder, 'key.pem'),
    httpPort,
    tlsPort: 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
    ...config,
  }
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify({ pebble }))
  const run = (program: string, args: string[], env: Record<string, string> = {}) => {
    const child = spawn(program, args, { stdio: 'ignore', env: { PATH: process.env.PATH, ...env } })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
  run('/usr/bin/pebble-challtestsrv', [
    ...none,
    '-dns01',
    `127.0.0.1:${dns}`,
    '-management',
    `127.0.0.1:${dnsManage}`,
  ])
  trustCertificates([authority.certificate])
  const directory = `https://127.0.0.1:${listen}/dir`
  let child: ReturnType<typeof run> | undefined
  const start = async () => {
    child = run(
      '/usr/bin/pebble',
      ['-config', join(folder, 'pebble.json'), '-dnsserver', `127.0.0.1:${dns}`],
      {
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: '20',
      },
    )
    await answered(() => fetched(authority, directory))
  }
  await start()
  return {
    directory,
    httpPort: httpPort as number,
    dnsManagement: `http://127.0.0.1:${dnsManage}`,
    root: await fetched(authority, `https://127.0.0.1:${manage}/roots/0`),
    kill: () => void child?.kill('SIGKILL'),
    start,
  }
}

async function answered(ask: () => Promise<string>): Promise<void> {
  let there = false
  await eventually(() => {
    void ask().then(
      () => {
        there = true
      },
      () => undefined,
    )
    return there
  })
}

function fetched(authority: Authority, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca: authority.certificate, agent: false }, answer => resolve(text(answer))).on('error', reject)
  })
}

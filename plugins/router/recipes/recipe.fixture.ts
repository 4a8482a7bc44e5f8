import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { listening } from '../wire.fixture.ts'

/** A proxy in front of Longhouse, as the guide sets it up. */
export interface ProxyPorts {
  https: number
  http: number
}

/** Where a proxy's recipe is tried: its ports, and the files that it gets. */
export interface Place extends ProxyPorts {
  folder: string
  /** The port of Longhouse. */
  upstream: number
  /** A certificate for every name below `localhost`, which no one trusts, and its key. */
  certificate: string
  key: string
}

/** Why a recipe cannot be tried here; where all tests are demanded, it is tried and fails instead. */
export function missing(program: string, packageName: string): string | false {
  if (process.env.LONGHOUSE_DEMAND_ALL) return false
  for (const [name, source] of [
    [program, packageName],
    ['openssl', 'openssl'],
  ] as const) {
    if (spawnSync(name, ['-v']).error) return `${name} is not installed (apt-get install ${source})`
  }
  return false
}

/** The first block of this language in the guide. */
export function fromGuide(language: string): string {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/operate/proxy.md'), 'utf8')
  const block = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1]
  if (block === undefined) throw new Error(`the guide has no block of ${language}`)
  return block
}

/** Replaces each text, which must be there. */
export function adapted(text: string, changes: readonly (readonly [from: string | RegExp, to: string])[]) {
  return changes.reduce((now, [from, to]) => {
    const next = now.replace(from, to)
    if (next === now) throw new Error(`the recipe has no ${from}`)
    return next
  }, text)
}

/** Starts a proxy, and waits until it passes requests on. `prepare` writes its files and returns its command. */
export async function startProxy(
  t: TestContext,
  upstream: number,
  prepare: (place: Place) => [program: string, ...args: string[]],
): Promise<ProxyPorts> {
  const folder = temporaryFolder(t)
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = 'subjectAltName=DNS:localhost,DNS:*.localhost'
  const fresh =
    'req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -batch -days 2 -subj /CN=localhost'
  execFileSync('openssl', [...fresh.split(' '), '-addext', names, '-keyout', key, '-out', certificate], {
    stdio: 'pipe',
  })
  const place = { folder, upstream, certificate, key, https: await freePort(), http: await freePort() }
  const [program, ...args] = prepare(place)
  const child = spawn(program, args, {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = wordsOf(child)
  const ended = once(child, 'close')
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await eventually('the proxy passes requests on', async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said()}`)
    return (await answersOn(place.https)) && (await answersOn(place.http))
  })
  return place
}

function wordsOf(child: ChildProcess): () => string {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk))
  return () => said
}

async function answersOn(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await listening(probe)
  await new Promise(resolve => probe.close(resolve))
  return port
}

export function write(place: Place, name: string, text: string): string {
  const file = join(place.folder, name)
  writeFileSync(file, text)
  return file
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import { eventually } from '../src/testing/eventually.ts'
import { testImage } from './longhouse.fixture.ts'

const needed = ['dockerd', 'docker', 'iptables', 'ip', 'unshare']

/** Why a test cannot start a Docker engine of its own here, or false. With LONGHOUSE_DEMAND_ALL nothing is skipped. */
export function noOwnEngine(): string | false {
  if (process.env.LONGHOUSE_DEMAND_ALL === '1') return false
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'needs root on Linux, to start a Docker engine of its own: run the tests as root, or .ci/run'
  const missing = needed.filter(program => !onPath(program))
  if (missing.length > 0)
    return `needs ${missing.join(', ')}, to start a Docker engine of its own: apt install docker.io iptables iproute2 util-linux`
  if (testImage) return false
  return 'needs a Docker engine: npm run images, then LONGHOUSE_TEST_IMAGE=longhouse-runtime:latest npm test'
}

const loader = join(import.meta.dirname, '../scripts/loader.mjs')

/** The folder of a test file that `runInNamespaces` runs; null in every other. */
export const namespaceFolder = process.env.LONGHOUSE_TEST_NAMESPACES ?? null

/**
 * Runs a test file again, alone, in namespaces of its own, with `namespaceFolder` set. Whatever it leaves ends with the
 * test. Throws with the file's output when it fails.
 */
export async function runInNamespaces(t: TestContext, file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'longhouse-own-engine-'))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(
    join(import.meta.dirname, 'own-namespaces.sh'),
    [folder, process.execPath, '--import', loader, '--test-reporter=spec', file],
    {
      // A group of its own: who ends the tests' group leaves it alive, and it cleans up.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...env, LONGHOUSE_TEST_NAMESPACES: folder },
    },
  )
  const closed = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  t.after(() => {
    child.stdin.end()
    return closed
  })
  const [code] = await closed
  if (code !== 0) throw new Error(`${file} failed in namespaces of its own:\n${output}`)
}

export interface OwnEngine {
  /** For DOCKER_HOST. */
  host: string
  docker: Docker
  /** Starts it again on what it left on the disk. */
  start(): Promise<void>
  /** Ends the engine alone with SIGKILL. */
  kill(): Promise<void>
  /** Ends the engine and all of its containers at once with SIGKILL, as when the host loses its power. */
  cutPower(): Promise<void>
}

/** Starts an engine in a folder. To be called in namespaces of its own, with which it ends. */
export async function startOwnEngine(folder: string): Promise<OwnEngine> {
  const faults: string[] = []
  // What a sandbox allows, only trying shows. vfs works everywhere, and is slow.
  for (const storage of ['overlay2', 'vfs'])
    for (const variant of ['', 'legacy', 'nft']) {
      if (variant !== '' && !onPath(`iptables-${variant}`)) continue
      const engine = ownEngine(join(folder, `${storage}-${variant}`), storage, variant)
      const fault = await engine.start().then(
        () => null,
        (error: Error) => error.message,
      )
      if (fault === null) return engine
      faults.push(fault)
    }
  throw new Error(`no Docker engine starts here:\n${faults.join('\n')}`)
}

/** Copies the runtime image from the engine of all tests, under the same name. */
export function carryImage(to: OwnEngine): string {
  if (!testImage) throw new Error('LONGHOUSE_TEST_IMAGE is not set')
  const carry = 'docker save "$0" | docker --host "$1" load'
  execFileSync('bash', ['-o', 'pipefail', '-c', carry, testImage, to.host], { stdio: 'pipe' })
  return testImage
}

function ownEngine(folder: string, storage: string, variant: string): OwnEngine {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  if (variant !== '')
    for (const tool of ['iptables', 'ip6tables'])
      symlinkSync(onPath(`${tool}-${variant}`) ?? '', join(bin, tool))
  const socketPath = join(folder, 'docker.sock')
  const host = `unix://${socketPath}`
  const docker = new Docker({ socketPath, host: '' })
  const args = {
    host,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    'storage-driver': storage,
    // Only the networks that the control plane makes are needed.
    bridge: 'none',
    group: 'root',
    'exec-opt': 'native.cgroupdriver=cgroupfs',
    'cgroup-parent': controlGroup(folder),
  }
  let daemon: ChildProcess | undefined

  return {
    host,
    docker,
    async start() {
      const log = openSync(join(folder, 'log'), 'a')
      daemon = spawn(
        'dockerd',
        Object.entries(args).map(([name, value]) => `--${name}=${value}`),
        {
          stdio: ['ignore', log, log],
          env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
        },
      )
      closeSync(log)
      const child = daemon
      // It ends with the namespaces, and holds up no end before.
      child.on('error', () => {}).unref()
      const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
      await eventually('the engine answers', () => ended() || docker.ping()).catch(() => {})
      if (!ended()) return
      throw new Error(`${storage} ${variant}: ${readFileSync(join(folder, 'log'), 'utf8').slice(-4000)}`)
    },
    kill: () => endAll(daemon?.pid ? [daemon.pid] : []),
    cutPower: () => endAll(processesOf(folder)),
  }
}

async function endAll(pids: number[]): Promise<void> {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended with another.
    }
  // A zombie has no working directory.
  await eventually('they are gone', () => pids.every(pid => !existsSync(`/proc/${pid}/cwd`)))
}

/** The engine and what it started, by its folder in their command lines, and their descendants: the containers. */
function processesOf(folder: string): number[] {
  const parents = new Map<number, number>()
  const found = new Set<number>()
  for (const name of readdirSync('/proc').filter(each => /^\d+$/.test(each)))
    try {
      const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      parents.set(Number(name), Number(parent))
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)) found.add(Number(name))
    } catch {
      // It ended meanwhile.
    }
  const isFound = (pid: number | undefined): boolean =>
    pid !== undefined && (found.has(pid) || isFound(parents.get(pid)))
  return [...parents.keys()].filter(isFound)
}

/** Named after the test's folder, by which own-namespaces.sh finds it. */
function controlGroup(folder: string): string {
  return `/${/longhouse-own-engine-\w+/.exec(folder)?.[0] ?? 'longhouse-own-engine'}`
}

function onPath(program: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map(folder => join(folder, program)).find(existsSync) ?? null
}

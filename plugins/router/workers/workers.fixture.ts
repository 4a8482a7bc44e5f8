import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { build } from 'esbuild'
import { builtRoot } from '../../../src/root.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import type { Destination } from '../contract.ts'
import { readLines, writeLine } from './lines.ts'

/** A connection to a supervisor that says what a test wants to say. */
export interface RawLink {
  socket: Socket
  /** All that came so far. */
  messages: readonly { type: string }[]
  say(message: object): void
  /** The first message of a type that comes. */
  heard(type: string): Promise<{ type: string; reason?: string; words?: string }>
}

export function rawLink(dataRoot: string): RawLink {
  const socket = connect(join(dataRoot, '.control/edge/edge.sock'))
  const messages: { type: string }[] = []
  socket.on('error', () => undefined)
  readLines<{ type: string }>(socket, message => void messages.push(message))
  return {
    socket,
    messages,
    say: message => writeLine(socket, message),
    heard: type => eventually(`the message ${type}`, () => messages.find(each => each.type === type)),
  }
}

/** An edge as a service: its supervisor is a child of the test. */
export async function startEdgeService(t: TestContext, dataRoot: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [builtRoot('edge.js'), dataRoot], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LOG_LEVEL: 'silent' },
  })
  t.after(() => child.kill('SIGTERM'))
  const socket = join(dataRoot, '.control/edge/edge.sock')
  await eventually('the edge’s socket', () => answers(socket))
  return child
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

/** The processes that a process started and that live. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** A control plane that is a process of its own, and does what the test says. */
export interface ControlPlaneProcess {
  child: ChildProcess
  port: number
  set(subdomain: string, destination: Destination): Promise<void>
  /** What it reports of the edge: each sample by its name and labels. */
  figures(): Promise<Map<string, number>>
  /** Stops it in order. */
  stop(): Promise<void>
  kill(): Promise<void>
}

const root = join(import.meta.dirname, '../../..')
const source = join(import.meta.dirname, 'control-plane-process.fixture.ts')

/** Builds another version, whose workers differ from this one's. Returns the folder of its programs. */
export async function otherVersion(t: TestContext, name: string): Promise<string> {
  const folder = join(root, 'node_modules/.cache', `longhouse-edge-${process.pid}-${name}`)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(builtRoot(), folder, { recursive: true })
  appendFileSync(join(folder, 'edge-worker.js'), `\n// ${name}\n`)
  await build({
    entryPoints: { 'control-plane-process': source },
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    define: { BUNDLED: 'true' },
  })
  return folder
}

/** It has the records of `routed`; `programs` is the folder of another version. */
export async function startControlPlane(
  env: Record<string, string>,
  routed: Readonly<Record<string, Destination>> = {},
  programs?: string,
): Promise<ControlPlaneProcess> {
  const program = programs
    ? [join(programs, 'control-plane-process.js')]
    : ['--import', join(root, 'scripts/loader.mjs'), source]
  const child = spawn(process.execPath, [...program, JSON.stringify(env), JSON.stringify(routed)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the control plane ended'))),
  ])) as [{ port: number }]
  const ended = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
  }
  return {
    child,
    port,
    set: async (subdomain, destination) => {
      const done = once(child, 'message')
      child.send({ subdomain, destination })
      await done
    },
    figures: async () => {
      const answered = once(child, 'message')
      child.send('figures')
      const [figures] = (await answered) as [[string, number][]]
      return new Map(figures)
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

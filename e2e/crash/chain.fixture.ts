import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import type { WireBackup } from '../../plugins/backup/wire.ts'
import type { WireInstance } from '../../plugins/provisioner/pages/wire.ts'
import type { WireUpgrade } from '../../plugins/upgrades/wire.ts'
import { verifyPassword } from '../../src/password.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { makeQuickStore } from '../../src/testing/quick-store.ts'
import { leftOver, read, readHash, removeContainers, runningFaults } from './checks.fixture.ts'
import { Program, type Setting } from './control-plane.fixture.ts'
import type { KillOrder } from './kills.fixture.ts'

/** A bound for a machine that is busy with other work too. */
const patienceMs = 300_000
/** More lives than any work has points: one that never ends kills itself at the same point again and again. */
const mostLives = 400

/** Work that concerns more than one instance, or the host: it has no operation of its own. */
export interface Work {
  /** One of the names that `LONGHOUSE_FULL_MATRIX` takes. */
  name: string
  /** Tables whose commits are points, and whether effects are, too. */
  tables: readonly string[]
  effects: boolean
  /** Whether it is work of a start; other work begins with a request. */
  atStart: boolean
  /** The names of the instances: before it begins each runs, and has a backup. */
  instances: readonly string[]
  /** Makes a program do the work, or go on with it, until it is over. Fails when the program ends. */
  goOn(parts: Parts, program: Program): Promise<void>
  /** Changes what is prepared. */
  before?(parts: Parts): Promise<void>
  /** Runs before each start of the control plane. */
  beforeStart?(parts: Parts): Promise<'killed' | 'done'>
  /** What else is wrong in the end, in words. */
  faults(parts: Parts): string[]
}

interface Parts {
  setting: Setting
  dataRoot: string
  env: Record<string, string>
  order: KillOrder
  passwords: ReadonlyMap<string, string>
  copies: ReadonlyMap<string, string>
}

export interface Lives {
  /** The points at which a life ended. */
  killed: readonly string[]
  faults: readonly string[]
}

/** Which of the points are tried; see `KillOrder`. */
export type Extent = Pick<KillOrder, 'times' | 'every' | 'turn'>

/**
 * Has the program die at each point of the work, one life after another, until one comes to the end; then looks whether everything is as
 * it should be.
 */
export async function dieAtEach(
  t: TestContext,
  setting: Setting,
  work: Work,
  extent: Extent,
): Promise<Lives> {
  const first = temporaryFolder(t)
  const docker = setting.driver === 'docker' ? new Docker() : null
  if (docker) t.after(() => removeContainers(docker, work.instances))
  const env: Record<string, string> = { ...(setting.driver === 'process' && { MATRIX_IMAGES: '1' }) }
  const { tables, effects } = work
  const order = { file: join(temporaryFolder(t), 'points'), dataRoot: first, tables, effects, ...extent }
  const prepared = await prepare(t, first, setting, work.instances, env)
  const parts: Parts = { setting, dataRoot: first, env, order, ...prepared }
  await work.before?.(parts)

  // What the start after a kill cleans up is tried as well when every point is.
  const atStart = work.atStart || extent.every === 1
  const dying = { MATRIX_KILLS: JSON.stringify(order), ...(atStart && { MATRIX_DIES_AT_START: '1' }) }
  let lives = 0
  for (; ; lives++) {
    assert.ok(lives < mostLives, `${work.name} does not end: ${pointsIn(order).killed.slice(-5).join('; ')}`)
    if ((await work.beforeStart?.(parts)) === 'killed') continue
    const program = new Program(parts.dataRoot, setting, {}, { ...parts.env, ...dying })
    t.after(() => program.end('SIGKILL'))
    try {
      await listening(program)
      if (!atStart) await program.tell({ arms: true })
      await work.goOn(parts, program)
      await program.end('SIGTERM')
      break
    } catch (error) {
      const { child } = program
      if (child.exitCode === null && child.signalCode === null)
        await Promise.race([once(child, 'exit'), new Promise(resolve => setTimeout(resolve, 20_000).unref())])
      if (child.signalCode !== 'SIGKILL')
        throw new Error(
          `${work.name}, after it was killed at "${pointsIn(order).killed.at(-1)}": ${(error as Error).message} ${program.output}`,
          { cause: error },
        )
    }
  }

  const last = new Program(parts.dataRoot, setting, {}, parts.env)
  t.after(() => last.end('SIGKILL'))
  await last.listening()
  let faults: string[] = []
  await eventually(
    'it is as it should be',
    async () => {
      faults = await faultsOf(last, docker, work, parts)
      return faults.length === 0
    },
    { withinMs: 60_000, pauseMs: 100 },
  ).catch(() => {})
  for (const task of ['provisioner:prune-operations', 'provisioner:compare-containers', 'backup:forget'])
    await last.tell({ task })
  const known = new Map(work.instances.map(name => [name, name]))
  faults.push(...(await leftOver(last, docker, parts.dataRoot, known)), ...work.faults(parts))
  if (faults.length > 0) t.diagnostic(last.output)
  await last.end('SIGTERM')
  if (docker) await removeContainers(docker, work.instances)
  return { killed: pointsIn(order).killed, faults }
}

function pointsIn({ file }: KillOrder) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  return {
    killed: lines.filter(line => line.startsWith('killed ')).map(line => line.replace('killed ', '')),
  }
}

/** Waits until it listens; fails when it ends before. */
async function listening(program: Program): Promise<void> {
  const over = new AbortController()
  await Promise.race([
    program.listening(),
    once(program.child, 'exit', { signal: over.signal }).then(() => {
      throw new Error('the program has ended')
    }),
  ]).finally(() => over.abort())
}

/** Asks the program until the answer is there; fails when the program ends. */
async function until(program: Program, what: string, ask: () => Promise<boolean>): Promise<void> {
  const isDead = () => program.child.exitCode !== null || program.child.signalCode !== null
  let failure: unknown = null
  await eventually(
    what,
    async () => {
      if (isDead()) return true
      try {
        return await ask()
      } catch (error) {
        if (error instanceof Refused) failure = error
        if (failure) return true
        throw error
      }
    },
    { withinMs: patienceMs, pauseMs: 30 },
  )
  if (failure) throw failure
  if (isDead()) throw new Error('the program has ended')
}

/** What no later answer can change. */
class Refused extends Error {}

async function prepare(
  t: TestContext,
  dataRoot: string,
  setting: Setting,
  names: readonly string[],
  env: Record<string, string>,
) {
  const control = join(dataRoot, '.control')
  mkdirSync(control, { mode: 0o700 })
  makeQuickStore(control)
  const program = new Program(dataRoot, setting, {}, env)
  t.after(() => program.end('SIGKILL'))
  await program.listening()
  const passwords = new Map<string, string>()
  const copies = new Map<string, string>()
  await Promise.all(
    names.map(async subdomain => {
      const body = { subdomain, owner_email: 'ada@example.com' }
      const made = await program.must('POST', '/admin/instances', { body, wait: 100 })
      assert.equal(made.status, 'running', JSON.stringify(made))
      passwords.set(subdomain, made.password ?? '')
      writeFileSync(join(dataRoot, subdomain, 'kept.txt'), 'one')
    }),
  )
  // The records are copied before the instances, whose backups are found in the store.
  await program.must('POST', '/admin/backup')
  for (const name of names) {
    const copy = await program.must<WireBackup>('POST', `/admin/instances/${name}/backup`, { wait: 100 })
    copies.set(name, copy.id)
  }
  await program.end('SIGTERM')
  return { passwords, copies }
}

async function faultsOf(
  program: Program,
  docker: Docker | null,
  work: Work,
  parts: Parts,
): Promise<string[]> {
  const { dataRoot, passwords } = parts
  const faults: string[] = []
  for (const name of work.instances) {
    const { id, status } = await program.must('GET', `/admin/instances/${name}`)
    if (status !== 'running') faults.push(`${name} is ${status}`)
    const inVolume = (file: string) => {
      const path = join(dataRoot, name, file)
      return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'gone'
    }
    if (inVolume('.longhouse-volume') !== id) faults.push(`${name} has the volume of another one`)
    if (inVolume('kept.txt') !== 'one') faults.push(`the data of ${name} are "${inVolume('kept.txt')}"`)
    const password = passwords.get(name) ?? ''
    if (!(await verifyPassword(password, readHash(dataRoot, name))))
      faults.push(`the password of ${name} is another one`)
    if (docker) {
      const body = JSON.stringify({ password })
      const login = await program.visit(name, '/api/auth/password', { method: 'POST', body })
      if (login.status !== 200) faults.push(`its password does not open ${name}: ${login.status}`)
    } else if (
      inVolume('boots')
        .split('\n')
        .some(line => JSON.parse(line).doubled)
    )
      faults.push(`two processes ran on the volume of ${name}`)
    faults.push(...(await runningFaults(program, docker, name, 'running')).map(fault => `${name}: ${fault}`))
  }
  return faults
}

/** How often each instance had an operation of a kind, as `amber upgrade succeeded`, when it was not once. */
function notOnce(dataRoot: string, kind: string, names: readonly string[]): string[] {
  const all = read<{ subdomain: string; status: string }>(
    dataRoot,
    `select instance.subdomain, operation.status from provisioner_operations as operation
     join provisioner_instances as instance on instance.id = operation.instance_id where operation.kind = '${kind}'`,
  )
  return names.flatMap(name => {
    const statuses = all.filter(row => row.subdomain === name).map(({ status }) => status)
    return statuses.join() === 'succeeded'
      ? []
      : [`${name}: ${kind} was ${statuses.join(', ') || 'never begun'}`]
  })
}

/** All pieces of work, with names of instances that no other test has. */
export function works(mark: string): Work[] {
  const three = ['amber', 'beryl', 'coral'].map(name => `${name}-${mark}`)
  return [
    {
      name: 'fleet upgrade',
      tables: ['upgrades_'],
      effects: false,
      atStart: false,
      instances: three,
      goOn: upgradeAndUndo,
      faults: ({ dataRoot }) => ['upgrade', 'rollback'].flatMap(kind => notOnce(dataRoot, kind, three)),
    },
    {
      name: 'proof',
      tables: ['backup_'],
      effects: true,
      atStart: false,
      instances: [`delta-${mark}`],
      goOn: async ({ copies }, program) => {
        const [[name, id] = []] = copies
        const proven = await program.must<WireBackup>(
          'POST',
          `/admin/instances/${name}/backups/${id}/verify`,
          {
            wait: 100,
          },
        )
        assert.ok(proven.verified_at, JSON.stringify(proven))
      },
      faults: () => [],
    },
    {
      name: 'fresh host',
      tables: ['backup_', 'provisioner_operations', 'provisioner_instances'],
      effects: true,
      atStart: true,
      instances: [`ebony-${mark}`, `flint-${mark}`],
      before: async parts => {
        const control = join(parts.dataRoot, '.control')
        parts.env.BACKUP_STORE = join(control, 'backups')
        parts.dataRoot = join(parts.dataRoot, '.fresh')
        mkdirSync(join(parts.dataRoot, '.control'), { recursive: true, mode: 0o700 })
        for (const name of ['backup-password', 'instance-secrets-key'])
          if (existsSync(join(control, name)))
            copyFileSync(join(control, name), join(parts.dataRoot, '.control', name))
      },
      beforeStart: restoreRecords,
      goOn: async ({ copies, dataRoot }, program) => {
        for (const name of copies.keys())
          await until(program, `${name} is restored`, async () => {
            const { status, operation } = await program.must<WireInstance>('GET', `/admin/instances/${name}`)
            if (operation?.status === 'failed') throw new Refused(`${name}: ${operation.error}`)
            // The records say that it runs from the beginning, and a later start of it may be the last operation.
            const isThere = existsSync(join(dataRoot, name, 'kept.txt'))
            return isThere && status === 'running' && operation?.status === 'succeeded'
          })
      },
      faults: ({ dataRoot }) =>
        ['restored-from-store', 'longhouse.db.restoring'].filter(name =>
          existsSync(join(dataRoot, '.control', name)),
        ),
    },
  ]
}

async function upgradeAndUndo({ dataRoot, setting, passwords }: Parts, program: Program): Promise<void> {
  const [known] = (await program.must<{ upgrades: WireUpgrade[] }>('GET', '/admin/upgrades')).upgrades
  const body = { image: setting.otherImage ?? 'runtime:2', soak: '1ms', parallel: 1 }
  const { id } = known ?? (await program.must<WireUpgrade>('POST', '/admin/upgrades', { body }))
  const one = () => program.must<WireUpgrade>('GET', `/admin/upgrades/${id}`)
  const reaches = (states: readonly string[]) =>
    until(program, `it is ${states.join(' or ')}`, async () => {
      const now = await one()
      if (now.state === 'halted') throw new Refused(JSON.stringify(now))
      return states.includes(now.state)
    })
  await reaches(['done', 'undoing', 'undone'])
  if ((await one()).state === 'done') {
    const { instances } = await one()
    assert.deepEqual(
      instances.map(({ status }) => status),
      instances.map(() => 'upgraded'),
      JSON.stringify(instances),
    )
    for (const name of passwords.keys()) writeFileSync(join(dataRoot, name, 'kept.txt'), 'two')
    await program.must('POST', `/admin/upgrades/${id}/undo`, { body: {} })
  }
  await reaches(['undone'])
  const { instances } = await one()
  assert.deepEqual(
    instances.map(({ status }) => status),
    instances.map(() => 'rolled-back'),
    JSON.stringify(instances),
  )
}

/** Runs the program that puts the records into an empty data root, unless they are there. */
async function restoreRecords({ dataRoot, env, order }: Parts): Promise<'killed' | 'done'> {
  if (existsSync(join(dataRoot, '.control/longhouse.db'))) return 'done'
  const child: ChildProcess = fork(join(import.meta.dirname, 'restore.fixture.ts'), {
    execArgv: ['--import', join(import.meta.dirname, '../../scripts/loader.mjs')],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...{ PATH: process.env.PATH, LONGHOUSE_DATA_ROOT: dataRoot, ADMIN_TOKEN: 'not-used-by-this-program' },
      ...{ ...env, MATRIX_KILLS: JSON.stringify(order) },
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', piece => {
      output += piece
    })
  const [code, signal] = await once(child, 'exit')
  if (signal === 'SIGKILL') return 'killed'
  assert.equal(code, 0, output)
  assert.match(output, /with 2 instances/)
  return 'done'
}

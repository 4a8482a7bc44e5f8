import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Database from 'better-sqlite3'
import Docker from 'dockerode'
import { resticStore } from '../../plugins/backup/store/restic.ts'
import type { OperationKind } from '../../plugins/provisioner/contract.ts'
import type { WireInstance, WireOperation } from '../../plugins/provisioner/pages/wire.ts'
import { verifyPassword } from '../../src/password.ts'
import { ask, type Reply } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { makeQuickStore } from '../../src/testing/quick-store.ts'
import { type DriverName, testImage } from '../longhouse.fixture.ts'
import type { Passed, Trap } from './points.fixture.ts'
import type { Story } from './stories.fixture.ts'
import { startTicks, type Ticks } from './ticks.fixture.ts'

const root = join(import.meta.dirname, '../..')
const token = 'a-token-that-only-the-operator-has'

/** A bound for a machine that is busy with other work too; what hangs takes longer. */
const patienceMs = 300_000

/** One kill: a story, and where its operation is when the program is killed. Without a point it is not killed. */
export interface Case {
  story: Story
  subdomain: string
  point: string | null
}

export interface Outcome {
  /** The points that each operation passed until its end, or until it was held, by subdomain. */
  passed: ReadonlyMap<string, readonly string[]>
  /** Cases whose point was not reached: what a step does may differ from time to time. */
  missed: readonly Case[]
  /** What was not as it should be in the end, in words. */
  faults: readonly string[]
}

export interface Setting {
  driver: DriverName
  /** Another image of the runtime, to upgrade to. */
  otherImage: string | null
}

/** A control plane in a process of its own, whose operations can be held. */
class Program {
  readonly child: ChildProcess
  readonly passed: Passed[] = []
  #output = ''
  #port = 0
  #messages = 0

  constructor(dataRoot: string, { driver }: Setting, traps: Readonly<Record<string, Trap>>) {
    this.child = fork(join(import.meta.dirname, 'program.fixture.ts'), {
      execArgv: ['--import', join(root, 'scripts/loader.mjs')],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        ...(process.env.DOCKER_HOST && { DOCKER_HOST: process.env.DOCKER_HOST }),
        ...(testImage && { CONTROL_PLANE_IMAGE: testImage }),
        ...(driver === 'process' && { MATRIX_INSTANCE: join(import.meta.dirname, 'instance.fixture.mjs') }),
        MATRIX_TRAPS: JSON.stringify(traps),
        LONGHOUSE_DATA_ROOT: dataRoot,
        LONGHOUSE_PORT: '0',
        ADMIN_TOKEN: token,
        PROVISIONER_DRIVER: driver,
        PROVISIONER_CONCURRENCY: '64',
        PROVISIONER_STOP_GRACE: '5s',
        PROVISIONER_DEADLINE: '120s',
        HEALTH_INTERVAL: '2s',
        HEALTH_TIMEOUT: '30s',
        BACKUP_EVERY: '0ms',
        BACKUP_PROVE_EVERY: '0ms',
        // One that is held in the middle of its copy holds up no other.
        BACKUP_CONCURRENCY: '64',
      },
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', piece => {
        this.#output = `${this.#output}${piece}`.slice(-20_000)
      })
    this.child.on('message', (message: Passed & { type: string; port?: number }) => {
      if (message.type === 'passed') this.passed.push(message)
      if (message.type === 'listening') this.#port = message.port ?? 0
    })
  }

  async listening(): Promise<void> {
    await eventually('the control plane listens', () => {
      assert.equal(this.child.exitCode, null, this.#output)
      return this.#port > 0
    })
  }

  get output(): string {
    return this.#output
  }

  /** Sets traps, or runs a task, in the program. */
  async tell(message: { traps?: Readonly<Record<string, Trap>>; task?: string }): Promise<void> {
    const id = ++this.#messages
    const over = Promise.withResolvers<void>()
    const listen = (answer: { type: string; id: number; error?: string }) => {
      if (answer.type !== 'done' || answer.id !== id) return
      this.child.off('message', listen)
      if (answer.error === undefined) over.resolve()
      else over.reject(new Error(`${message.task}: ${answer.error}`))
    }
    this.child.on('message', listen)
    this.child.send({ type: 'do', id, ...message })
    await over.promise
  }

  call(method: string, path: string, { body, wait }: { body?: unknown; wait?: number } = {}): Promise<Reply> {
    return ask({
      port: this.#port,
      host: 'control.localhost',
      method,
      path,
      headers: { Authorization: `Bearer ${token}`, ...(wait && { Prefer: `wait=${wait}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** Has something done and waits until it is; fails with the answer when it is not. */
  async must<T = WireInstance & { password?: string }>(
    method: string,
    path: string,
    options: { body?: unknown; wait?: number } = {},
  ): Promise<T> {
    const reply = await this.call(method, path, options)
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`)
    return reply.json<T>()
  }

  visit(
    subdomain: string,
    path = '/api/health',
    options: { headers?: Record<string, string>; body?: string; method?: string } = {},
  ) {
    return ask({ port: this.#port, host: `${subdomain}.localhost:${this.#port}`, path, ...options })
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    await ended
  }
}

/** How an operation of each kind comes about, and what the file `kept` says when it has succeeded. A kind without one is not tried. */
interface Telling {
  /** What the instance goes through before. */
  before?(parts: Prepared): Promise<void>
  /** Requests it, and returns what the API answers. */
  request(parts: Prepared): Promise<WireInstance & { password?: string }>
  kept?: 'one' | 'two'
}

interface Prepared {
  program: Program
  setting: Setting
  subdomain: string
  path: string
  copy: string
  write(kept: string): void
}

const minutes = { wait: 100 }

const post =
  (verb: string) =>
  ({ program, path }: Prepared) =>
    program.must('POST', `${path}/${verb}`, { body: {} })

const upgrade = ({ program, path, setting }: Prepared, wait?: number) =>
  program.must('POST', `${path}/upgrade`, {
    body: setting.otherImage === null ? {} : { image: setting.otherImage },
    ...(wait && { wait }),
  })

const makeCopy = async (parts: Prepared): Promise<void> => {
  const { id } = await parts.program.must<{ id: string }>('POST', `${parts.path}/backup`, minutes)
  parts.copy = id
  parts.write('two')
}

const tellings: Readonly<Record<OperationKind, Telling>> = {
  provision: {
    request: ({ program, subdomain }) =>
      program.must('POST', '/admin/instances', { body: { subdomain, owner_email: 'ada@example.com' } }),
  },
  start: {
    before: async ({ program, path }) => void (await program.must('POST', `${path}/stop`, minutes)),
    request: post('start'),
    kept: 'one',
  },
  stop: { request: post('stop'), kept: 'one' },
  restart: { request: post('restart'), kept: 'one' },
  upgrade: { request: upgrade, kept: 'one' },
  rollback: {
    before: async parts => {
      // A new version has 5 seconds to pass its checks, and a machine that starts a dozen at once may be slower.
      await eventually(
        'it is upgraded',
        async () => {
          const { operation } = await upgrade(parts, minutes.wait)
          return operation?.status === 'succeeded'
        },
        { withinMs: patienceMs },
      )
      parts.write('two')
    },
    request: post('rollback'),
    kept: 'one',
  },
  restore: {
    before: makeCopy,
    request: ({ program, path, copy }) => program.must('POST', `${path}/restore`, { body: { backup: copy } }),
    kept: 'one',
  },
  'restore-new': {
    before: makeCopy,
    request: ({ program, path, copy, subdomain }) =>
      program.must('POST', `${path}/restore`, { body: { backup: copy, into: `${subdomain}-new` } }),
    kept: 'one',
  },
  'reset-password': { request: post('reset-password'), kept: 'one' },
  transfer: {
    request: ({ program, path }) =>
      program.must('POST', `${path}/transfer`, { body: { owner_email: 'grace@example.com' } }),
    kept: 'one',
  },
  deprovision: { request: ({ program, path }) => program.must('DELETE', path), kept: 'one' },
  purge: { request: ({ program, path }) => program.must('DELETE', `${path}?purge=true`) },
}

/** The instance whose operation a case is about. */
const targetOf = ({ story, subdomain }: Case) =>
  story.kind === 'restore-new' ? `${subdomain}-new` : subdomain

/**
 * Brings every case to its point in one control plane, kills that with SIGKILL, starts another one on what it left, waits until
 * all operations are over, and looks whether everything is as it should be. A case that is held stays exactly as a kill at that moment
 * would leave it, so one kill serves for all.
 */
export async function killAll(t: TestContext, setting: Setting, cases: readonly Case[]): Promise<Outcome> {
  const dataRoot = temporaryFolder(t)
  mkdirSync(join(dataRoot, '.control'), { mode: 0o700 })
  makeQuickStore(join(dataRoot, '.control'))
  const trapsOf = (life: 1 | 2): Record<string, Trap> =>
    Object.fromEntries(
      cases.map(each => {
        const { failAfter } = each.story
        const holdAt = life === 1 && each.point !== null ? { holdAt: each.point } : {}
        return [
          targetOf(each),
          { kind: each.story.kind, ...holdAt, ...(failAfter !== null && { failAfter }) },
        ]
      }),
    )
  const docker = setting.driver === 'docker' ? new Docker() : null
  if (docker) t.after(() => removeContainers(docker, cases))
  const ticks = await startTicks(t)
  const first = new Program(dataRoot, setting, {})
  t.after(() => first.end('SIGKILL'))
  await first.listening()
  const prepared = await Promise.all(cases.map(each => prepare(first, setting, dataRoot, each, ticks)))
  await first.tell({ traps: trapsOf(1) })
  first.passed.length = 0
  const asked = await Promise.all(
    prepared.map(async ({ parts, password }) => {
      const { story } = parts
      const answer = await tellings[story.kind].request(parts)
      return { ...parts, operation: answer.operation?.id ?? '', password: answer.password ?? password }
    }),
  )
  const missed: Case[] = []
  const faults: string[] = []
  await Promise.all(
    asked.map(async each => {
      const isHeld = () => first.passed.some(({ subdomain, held }) => held && subdomain === targetOf(each))
      await eventually(
        `${each.story.name} comes to "${each.point ?? 'its end'}"`,
        async () => {
          assert.equal(first.child.exitCode ?? first.child.signalCode, null, first.output)
          return isHeld() || isOver((await operationOf(first, each.operation)).status)
        },
        { withinMs: patienceMs, pauseMs: 200 },
      ).catch(async () => {
        const { kind, status, steps } = await operationOf(first, each.operation)
        faults.push(`${nameOf(each)}: its ${kind} is ${status} before the kill: ${JSON.stringify(steps)}`)
      })
      if (each.point !== null && !isHeld()) missed.push(each)
    }),
  )
  const passed = Map.groupBy(first.passed, ({ subdomain }) => subdomain)
  await first.end('SIGKILL')

  const second = new Program(dataRoot, setting, trapsOf(2))
  t.after(() => second.end('SIGKILL'))
  await second.listening()
  await Promise.all(
    asked.map(each =>
      eventually(
        `${each.story.name} is over`,
        async () => isOver((await operationOf(second, each.operation)).status),
        { withinMs: patienceMs, pauseMs: 200 },
      ).catch(async () => {
        const { kind, status, steps } = await operationOf(second, each.operation)
        faults.push(`${nameOf(each)}: its operation ${kind} is ${status}: ${JSON.stringify(steps)}`)
      }),
    ),
  )
  await Promise.all(
    asked.map(async each => {
      // A process that ended with the first control plane is started again after its operation is over.
      let last: string[] = []
      await eventually(
        'it is as it should be',
        async () => {
          last = await faultsOf(second, docker, dataRoot, each)
          return last.length === 0
        },
        { withinMs: 60_000, pauseMs: 100 },
      ).catch(() => {})
      faults.push(...last.map(fault => `${nameOf(each)}: ${fault}`))
    }),
  )
  for (const task of ['provisioner:prune-operations', 'provisioner:compare-containers', 'backup:forget'])
    await second.tell({ task })
  faults.push(...ticks.doubled())
  faults.push(...(await leftOver(second, docker, dataRoot, asked)))
  if (faults.length > 0) t.diagnostic(second.output)
  await second.end('SIGTERM')
  // Hundreds of containers of earlier lives would slow down the later ones.
  if (docker) await removeContainers(docker, cases)
  const pointsOf = (each: Case) => (passed.get(targetOf(each)) ?? []).map(({ point }) => point)
  return { passed: new Map(cases.map(each => [each.subdomain, pointsOf(each)])), missed, faults }
}

const nameOf = ({ story, point, subdomain }: Case) => `${story.name} (${subdomain}), killed at "${point}"`
const isOver = (status: string) => status !== 'pending' && status !== 'running'

async function operationOf(program: Program, id: string): Promise<WireOperation> {
  return await program.must<WireOperation>('GET', `/admin/operations/${id}`)
}

type Parts = Prepared & Case

async function prepare(program: Program, setting: Setting, dataRoot: string, each: Case, ticks: Ticks) {
  const { story, subdomain } = each
  const path = `/admin/instances/${subdomain}`
  const write = (kept: string) => writeFileSync(join(dataRoot, subdomain, 'kept.txt'), kept)
  const parts: Parts = { ...each, program, setting, path, copy: '', write }
  let password = ''
  if (story.kind !== 'provision') {
    const body = { subdomain, owner_email: 'ada@example.com' }
    const made = await program.must('POST', '/admin/instances', { body, ...minutes })
    assert.equal(made.status, 'running', JSON.stringify(made))
    password = made.password ?? ''
    write('one')
    if (setting.driver === 'docker') await ticks.install(program, subdomain, password)
    await tellings[story.kind].before?.(parts)
    if (story.stopped) await program.must('POST', `${path}/stop`, minutes)
  }
  return { parts, password }
}

interface Asked extends Parts {
  operation: string
  password: string
}

/** What is wrong with one instance after its operation is over. */
async function faultsOf(
  program: Program,
  docker: Docker | null,
  dataRoot: string,
  asked: Asked,
): Promise<string[]> {
  const { story, password } = asked
  const subdomain = targetOf(asked)
  const faults: string[] = []
  const expect = (words: string, actual: unknown, wanted: unknown) => {
    if (JSON.stringify(actual) !== JSON.stringify(wanted))
      faults.push(`${words}: ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`)
  }
  const operation = await operationOf(program, asked.operation)
  if (story.failAfter === null)
    expect('the operation', [operation.status, operation.error], ['succeeded', null])
  else {
    expect('the operation', operation.status, 'failed')
    if (!operation.error?.endsWith(`\n${story.plan.undo?.words}`))
      faults.push(`its error does not say that it was undone: ${operation.error}`)
  }
  const purged = story.kind === 'purge'
  const { end } = story.plan
  const shown = await program.call('GET', `/admin/instances/${subdomain}`)
  if (purged) expect('its page', shown.status, 404)
  else expect('its status', shown.json<WireInstance>().status, end)
  const volume = join(dataRoot, subdomain)
  expect('its volume is there', existsSync(volume), !purged)
  // What follows takes much processor time, and all of this is asked for again and again until there is no fault.
  if (faults.length > 0) return faults
  if (purged) return await runningFaults(program, docker, asked, 'deleted')

  const { id } = shown.json<WireInstance>()
  expect('the mark of its volume', readFileSync(join(volume, '.longhouse-volume'), 'utf8').trim(), id)
  const kept = story.failAfter !== null && story.kind !== 'upgrade' ? 'two' : tellings[story.kind].kept
  const file = join(volume, 'kept.txt')
  expect('its data', existsSync(file) ? readFileSync(file, 'utf8') : undefined, kept)
  faults.push(...(await runningFaults(program, docker, asked, end)))
  if (faults.length > 0) return faults
  const hash = readHash(dataRoot, subdomain)
  if (!(await verifyPassword(password, hash))) faults.push('its password is another one')
  if (docker === null) {
    const boots = readFileSync(join(volume, 'boots'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    if (boots.some(({ doubled }) => doubled)) faults.push('two processes ran on its volume')
    if (end === 'running') expect('what it was started with', boots.at(-1)?.password, hash)
  } else if (end === 'running') {
    const body = JSON.stringify({ password })
    const login = await program.visit(subdomain, '/api/auth/password', { method: 'POST', body })
    if (login.status !== 200) faults.push(`its password does not open it: ${login.status} ${login.text}`)
  }
  return faults
}

/** One container or process where it should run, and none elsewhere; requests reach it or are refused. */
async function runningFaults(program: Program, docker: Docker | null, asked: Asked, end: string) {
  const subdomain = targetOf(asked)
  const runs = end === 'running' ? 1 : 0
  const faults: string[] = []
  const answer = await program.visit(subdomain)
  if ((answer.status === 200) !== (runs === 1))
    return [`requests are answered with ${answer.status} though it is ${end}`]
  if (docker === null) {
    const processes = processesOn(join(subdomain))
    if (processes !== runs) faults.push(`${processes} processes run on its volume, not ${runs}`)
    return faults
  }
  const own = (await docker.listContainers({ all: true })).filter(({ Names }) =>
    Names.some(
      name =>
        new RegExp(`^/longhouse-${subdomain}(\\.|$)`).test(name) || name === `/longhouse-next-${subdomain}`,
    ),
  )
  const most = end === 'deleted' ? 0 : 1
  if (own.length > most || own.filter(({ State }) => State === 'running').length !== runs)
    faults.push(`its containers are ${JSON.stringify(own.map(({ Names, State }) => [Names, State]))}`)
  return faults
}

function processesOn(subdomain: string): number {
  return readdirSync('/proc').filter(pid => {
    try {
      const environment = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/environ`, 'latin1') : ''
      return environment
        .split('\0')
        .some(each => /^LONGHOUSE_DATA_DIR=/.test(each) && each.endsWith(`/${subdomain}`))
    } catch {
      return false
    }
  }).length
}

function read<T>(dataRoot: string, statement: string): T[] {
  const database = new Database(join(dataRoot, '.control/longhouse.db'), { readonly: true })
  try {
    return database.prepare<[], T>(statement).all()
  } finally {
    database.close()
  }
}

function readHash(dataRoot: string, subdomain: string): string {
  const rows = read<{ subdomain: string; password_hash: string }>(
    dataRoot,
    'select subdomain, password_hash from provisioner_instances',
  )
  return rows.find(row => row.subdomain === subdomain)?.password_hash ?? ''
}

/** What was left behind that nothing refers to: folders, copies in the store, containers. */
async function leftOver(
  program: Program,
  docker: Docker | null,
  dataRoot: string,
  asked: readonly Asked[],
): Promise<string[]> {
  const faults: string[] = []
  const inFolder = (name: string) => {
    const folder = join(dataRoot, '.control', name)
    return existsSync(folder) ? readdirSync(folder) : []
  }
  for (const name of ['restores', 'trash', 'proofs'])
    if (inFolder(name).length > 0) faults.push(`.control/${name} has ${inFolder(name).join()}`)
  const goingBack = read<{ instance_id: string }>(dataRoot, 'select instance_id from provisioner_rollbacks')
  const strange = inFolder('upgrades').filter(id => !goingBack.some(row => row.instance_id === id))
  if (strange.length > 0) {
    const names = read<{ id: string; subdomain: string }>(
      dataRoot,
      'select id, subdomain from provisioner_instances',
    )
    const whose = asked.filter(each =>
      names.some(row => strange.includes(row.id) && row.subdomain === targetOf(each)),
    )
    faults.push(`.control/upgrades has what nothing refers to of: ${whose.map(nameOf).join('; ')}`)
  }
  const known = new Set(['.control', ...asked.flatMap(each => [each.subdomain, targetOf(each)])])
  const folders = readdirSync(dataRoot).filter(name => !known.has(name))
  if (folders.length > 0) faults.push(`the data root has ${folders.join()}`)

  if (existsSync(join(dataRoot, '.control/backups'))) {
    const store = resticStore({
      repository: join(dataRoot, '.control/backups'),
      passwordFile: join(dataRoot, '.control/backup-password'),
      folder: join(dataRoot, '.control/backup-work'),
      environment: {},
    })
    const stored = (await store.list()).map(({ snapshot }) => snapshot).toSorted()
    const recorded = read<{ snapshot: string }>(
      dataRoot,
      "select snapshot from backup_copies where status = 'kept' union select snapshot from backup_control_copies",
    )
    const wanted = recorded.map(({ snapshot }) => snapshot).toSorted()
    if (stored.join() !== wanted.join())
      faults.push(`the store has ${stored.length} copies, and the records have ${wanted.length}`)
  }
  const orphans = await program.call('GET', '/metrics')
  if (orphans.status !== 200) faults.push(`/metrics answers ${orphans.status}: ${orphans.text.slice(0, 200)}`)
  if (/orphans\S* [1-9]/.test(orphans.text)) faults.push('there are orphans')
  if (docker) {
    const working = await docker.listContainers({ all: true, filters: { label: ['longhouse.work'] } })
    const ours = working.filter(({ Labels }) => Labels['longhouse.work']?.startsWith(dataRoot))
    if (ours.length > 0) faults.push(`${ours.length} containers still work on folders`)
  }
  return faults
}

async function removeContainers(docker: Docker, asked: readonly Case[]): Promise<void> {
  const names = asked.flatMap(each => [each.subdomain, targetOf(each)])
  const all = await docker.listContainers({ all: true })
  const own = all.filter(({ Names }) => Names.some(name => names.some(each => name.includes(each))))
  await Promise.all(
    own.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => {}),
    ),
  )
}

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import type { OperationKind } from '../../plugins/provisioner/contract.ts'
import type { WireInstance, WireOperation } from '../../plugins/provisioner/pages/wire.ts'
import { verifyPassword } from '../../src/password.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { makeQuickStore } from '../../src/testing/quick-store.ts'
import { leftOver, readHash, removeContainers, runningFaults } from './checks.fixture.ts'
import { Program, type Setting } from './control-plane.fixture.ts'
import type { Trap } from './points.fixture.ts'
import type { Story } from './stories.fixture.ts'
import { startTicks, type Ticks } from './ticks.fixture.ts'

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

const namesOf = (each: Case) => [each.subdomain, targetOf(each)]

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
  if (docker) t.after(() => removeContainers(docker, cases.flatMap(namesOf)))
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
  const known = new Map(asked.flatMap(each => namesOf(each).map(name => [name, nameOf(each)] as const)))
  faults.push(...(await leftOver(second, docker, dataRoot, known)))
  if (faults.length > 0) t.diagnostic(second.output)
  await second.end('SIGTERM')
  // Hundreds of containers of earlier lives would slow down the later ones.
  if (docker) await removeContainers(docker, cases.flatMap(namesOf))
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
  if (purged) return await runningFaults(program, docker, subdomain, 'deleted')

  const { id } = shown.json<WireInstance>()
  expect('the mark of its volume', readFileSync(join(volume, '.longhouse-volume'), 'utf8').trim(), id)
  const kept = story.failAfter !== null && story.kind !== 'upgrade' ? 'two' : tellings[story.kind].kept
  const file = join(volume, 'kept.txt')
  expect('its data', existsSync(file) ? readFileSync(file, 'utf8') : undefined, kept)
  faults.push(...(await runningFaults(program, docker, subdomain, end)))
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

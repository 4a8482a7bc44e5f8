import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Destination } from '../../plugins/router/contract.ts'
import { freePort } from '../../plugins/router/wire.fixture.ts'
import {
  type ControlPlaneProcess,
  childrenOf,
  isAlive,
  rawLink,
  startControlPlane,
} from '../../plugins/router/workers/workers.fixture.ts'
import { builtRoot } from '../../src/root.ts'
import { eventually } from '../../src/testing/eventually.ts'
import type { Chance } from './chance.fixture.ts'
import { type StandIn, startHostile, startStandIn } from './instances.fixture.ts'
import { Calendar, type Story } from './story.fixture.ts'

const workers = 2
/** `steady` is never disturbed, and answers everything. */
const movable = ['a', 'b', 'c'] as const

/** An edge with its workers, a control plane, and instances; and what may happen to them. */
export class World {
  readonly calendar = new Calendar()
  readonly port: number
  readonly instances = new Map<string, StandIn>()
  /** The ids that each subdomain’s instance had, and when each began. */
  readonly #ids = new Map<string, { id: string; from: number; until: number }[]>()
  readonly #routed: Record<string, Destination> = {}
  readonly #env: Record<string, string>
  readonly #chance: Chance
  readonly #supervisor: ChildProcess
  readonly #ending = new Set<Promise<unknown>>()
  #controlPlane: ControlPlaneProcess | null = null
  #stopped: Promise<number[]> | null = null

  private constructor(port: number, env: Record<string, string>, supervisor: ChildProcess, chance: Chance) {
    this.port = port
    this.#env = env
    this.#supervisor = supervisor
    this.#chance = chance
  }

  static async start(dataRoot: string, chance: Chance): Promise<World> {
    const port = await freePort()
    const env = {
      LONGHOUSE_DATA_ROOT: dataRoot,
      LONGHOUSE_PORT: String(port),
      ROUTER_WORKERS: String(workers),
      ROUTER_EDGE: 'service',
      ROUTER_CLIENT_LIMIT: '10000',
      ROUTER_HOLD_TIMEOUT: '60s',
      ROUTER_DRAIN_GRACE: '60s',
      // Only the hostile instance takes longer.
      ROUTER_RESPONSE_TIMEOUT: '8s',
    }
    const supervisor = spawn(process.execPath, [builtRoot('edge.js'), dataRoot], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, LOG_LEVEL: 'silent' },
    })
    await eventually('the edge’s socket', async () => {
      const { socket } = rawLink(dataRoot)
      const connected = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ])
      socket.destroy()
      return connected
    })
    const world = new World(port, env, supervisor, chance)
    for (const subdomain of ['steady', ...movable])
      world.#settle(subdomain, await startStandIn(`inst_${subdomain}_0`))
    world.#settle('hostile', await startHostile('inst_hostile_0', chance))
    world.#controlPlane = await startControlPlane(env, world.#routed)
    await world.calm()
    return world
  }

  get pid(): number {
    return this.#supervisor.pid ?? 0
  }

  workers(): number[] {
    return childrenOf(this.pid)
  }

  /** Resolves when as many workers as there should be are there, and nothing ends any longer. */
  async calm(): Promise<void> {
    await Promise.all(this.#ending)
    await eventually('two workers that serve', async () => {
      const figures = await this.figures()
      return (
        figures.get('longhouse_edge_workers{state="serving"}') === workers &&
        this.workers().length === workers
      )
    })
  }

  figures(): Promise<Map<string, number>> {
    if (!this.#controlPlane) throw new Error('there is no control plane')
    return this.#controlPlane.figures()
  }

  /** The ids that a request for a subdomain may be answered by. */
  idsAt({ subdomain, beganAt, endedAt }: Story): string[] {
    const all = this.#ids.get(subdomain) ?? []
    return all.filter(({ from, until }) => from <= endedAt && until >= beganAt).map(({ id }) => id)
  }

  /** Sockets that the edge's processes have open. */
  sockets(): number {
    return [this.pid, ...this.workers()].reduce((sum, pid) => sum + openFiles(pid).sockets, 0)
  }

  /** All files that each of the edge's processes has open: the supervisor first. */
  files(): number[] {
    return [this.pid, ...this.workers()].map(pid => openFiles(pid).all)
  }

  /** One thing that happens, and what remains to be done for it. Resolves when the world goes on. */
  async disturb(by: Chance): Promise<void> {
    switch (
      by.pick([
        'worker',
        'worker',
        'refresh',
        'control',
        'crash',
        'crash',
        'restart',
        'replace',
        'swap',
        'flap',
      ])
    ) {
      case 'worker':
        return this.#killWorker(by)
      case 'refresh':
        return this.#refresh()
      case 'control':
        return this.#killControlPlane()
      case 'crash':
        return this.#crash(by.pick(movable), by)
      case 'restart':
        return this.#restart(by.pick(movable), by)
      case 'replace':
        return this.#replace(by.pick(movable), by)
      case 'swap':
        return this.#swap(by)
      default:
        return this.#flap(by.pick(movable))
    }
  }

  async #killWorker(by: Chance): Promise<void> {
    const pid = by.pick(this.workers())
    if (pid === undefined) return
    await this.calendar.during('worker', async () => {
      // Its connections close when its last thread has ended, which is later than the process looks dead.
      process.kill(pid, 'SIGKILL')
      await eventually('the worker’s end', () => !existsSync(`/proc/${pid}`))
    })
  }

  async #refresh(): Promise<void> {
    const old = this.workers()
    const over = this.calendar.during('refresh', async () => {
      this.#supervisor.kill('SIGHUP')
      await eventually('the end of the old workers', () => !old.some(isAlive), { withinMs: 120_000 })
    })
    this.#ending.add(over)
    const done = () => this.#ending.delete(over)
    over.then(done, () => undefined)
    await eventually('fresh workers', () => this.workers().some(pid => !old.includes(pid)))
  }

  async #killControlPlane(): Promise<void> {
    await this.calendar.during('control', async () => {
      await this.#controlPlane?.kill()
      this.#controlPlane = await startControlPlane(this.#env, this.#routed)
    })
  }

  /** The instance dies, and comes back elsewhere, which the edge learns later. */
  async #crash(subdomain: string, by: Chance): Promise<void> {
    await this.calendar.during(`cut ${subdomain}`, async () => {
      const { id } = this.#instance(subdomain)
      await this.#instance(subdomain).kill(by)
      await this.#set(subdomain, this.#settle(subdomain, await startStandIn(id)))
    })
  }

  /** In order: requests wait for the instance to come back. */
  async #restart(subdomain: string, by: Chance): Promise<void> {
    await this.calendar.during(`cut ${subdomain}`, async () => {
      const { id } = this.#instance(subdomain)
      await this.#set(subdomain, { state: 'starting', instanceId: id })
      await this.#instance(subdomain).kill(by)
      await this.#set(subdomain, this.#settle(subdomain, await startStandIn(id)))
    })
  }

  /** Another instance takes the name; the one before it answers what it was asked, then goes. */
  async #replace(subdomain: string, by: Chance): Promise<void> {
    await this.calendar.during(`moved ${subdomain}`, async () => {
      const old = this.#instance(subdomain)
      const generation = Number(old.id.split('_').at(-1)) + 1
      await this.#set(
        subdomain,
        this.#settle(subdomain, await startStandIn(`inst_${subdomain}_${generation}`)),
      )
      // Requests on their way to it count, too: the edge closes its connections after the last answer.
      await eventually('the end of its connections', () => old.connections() === 0)
      await old.kill(by)
    })
  }

  /** Two instances die, and each comes back at the port that the other had. */
  async #swap(by: Chance): Promise<void> {
    const one = by.pick(movable)
    const other = movable.find(each => each !== one) as string
    await this.calendar.during(`cut ${one}`, () =>
      this.calendar.during(`cut ${other}`, async () => {
        const [first, second] = [this.#instance(one), this.#instance(other)]
        await Promise.all([first.kill(by), second.kill(by)])
        const there = this.#settle(one, await startStandIn(first.id, second.port))
        const here = this.#settle(other, await startStandIn(second.id, first.port))
        await this.#set(one, there)
        await this.#set(other, here)
      }),
    )
  }

  async #flap(subdomain: string): Promise<void> {
    await this.calendar.during(`cut ${subdomain}`, async () => {
      const { id, port } = this.#instance(subdomain)
      await this.#set(subdomain, { state: 'unhealthy', instanceId: id })
      await this.#set(subdomain, { state: 'ready', instanceId: id, host: '127.0.0.1', port })
    })
  }

  #instance(subdomain: string): StandIn {
    const instance = this.instances.get(subdomain)
    if (!instance) throw new Error(`there is no instance ${subdomain}`)
    return instance
  }

  /** From now on this is the subdomain's instance, as the edge learns next. Returns where it is. */
  #settle(subdomain: string, instance: StandIn): Destination {
    this.instances.set(subdomain, instance)
    const known = this.#ids.get(subdomain) ?? []
    this.#ids.set(subdomain, known)
    const last = known.at(-1)
    if (last?.id !== instance.id) {
      known.push({ id: instance.id, from: performance.now(), until: Number.POSITIVE_INFINITY })
    }
    const destination = {
      state: 'ready',
      instanceId: instance.id,
      host: '127.0.0.1',
      port: instance.port,
    } as const
    this.#routed[subdomain] = destination
    return destination
  }

  /** Resolves when every worker follows. */
  async #set(subdomain: string, destination: Destination): Promise<void> {
    await this.#controlPlane?.set(subdomain, destination)
    const before = this.#ids.get(subdomain)?.at(-2)
    if (before?.until === Number.POSITIVE_INFINITY) before.until = performance.now()
  }

  async closeInstances(): Promise<void> {
    for (const each of this.instances.values()) await each.kill(this.#chance)
    this.instances.clear()
  }

  /** Resolves with the workers that have not ended with the edge. */
  stop(): Promise<number[]> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<number[]> {
    await this.#controlPlane?.kill()
    await this.closeInstances()
    const exited = once(this.#supervisor, 'exit')
    const working = this.workers()
    if (this.#supervisor.kill('SIGTERM')) await exited
    return working.filter(isAlive)
  }
}

function openFiles(pid: number): { all: number; sockets: number } {
  const folder = `/proc/${pid}/fd`
  const links = readdirSync(folder).flatMap(name => {
    try {
      return [readlinkSync(join(folder, name))]
    } catch {
      // Closed meanwhile.
      return []
    }
  })
  return { all: links.length, sockets: links.filter(each => each.startsWith('socket:')).length }
}

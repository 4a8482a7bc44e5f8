import type { Database } from 'better-sqlite3'
import { actingAs } from '../acting.ts'
import { BootError } from '../boot-error.ts'
import type { Clock } from '../clock.ts'
import { giveWay } from '../concurrency.ts'
import type { Route } from '../http/route.ts'
import type { Logger } from '../log.ts'
import { openTables } from '../storage/database.ts'
import type { MigrationFolders } from '../storage/migrations.ts'
import type { Concern } from './concern.ts'
import { EventBus } from './events.ts'
import { HookBoard, type HookNeed } from './hooks.ts'
import type { PlannedProgram } from './plan.ts'
import type {
  Check,
  MadeParts,
  Plugin,
  PluginContext,
  PluginMetrics,
  Registry,
  StopOptions,
} from './plugin.ts'
import type { Releases } from './releases.ts'
import { type RunningTask, startTasks, type Task } from './tasks.ts'

/** The plugins of a program, set up but not started. */
export interface Assembly<Services = object, Hooks = object, Offered = object> {
  /** What the plugins offer that the program needs, by their names. */
  services: Services
  /** What any plugin offers that is in the list, by its name. */
  offered: Partial<Offered>
  routes: readonly Route[]
  checks: ReadonlyMap<string, Check>
  /** The plugins' answers to a hook that the program itself calls (`asks` of `assemble`). */
  answers<H extends keyof Hooks>(hook: H): readonly { plugin: string; answer: Hooks[H] }[]
  /** Runs each plugin's `start`, in order. */
  start(): Promise<void>
  /** Runs one task once, as its loop would: `plugin:task`. When the loops are being started, it waits until each has begun. */
  runOnce(task: string): Promise<void>
  /** Starts the loops of the periodic tasks; returns their stop. */
  startTasks(): () => Promise<void>
  /** Runs each plugin's `drain`, in reverse order. One that fails is logged. */
  drain(how: StopOptions): Promise<void>
}

interface AssembleOptions<Need extends string, Asks> extends PlannedProgram<Need> {
  sqlite: Database
  log: Logger
  clock: Clock
  /**
   * With `checked`, the default, a task whose last rounds failed fails a check of the program; with `logged` it is
   * only logged.
   */
  taskFaults?: 'checked' | 'logged'
  /** The program's own checks. */
  checks: Readonly<Record<string, Check>>
  /** The hooks that the program itself calls. */
  asks: Asks
  /** Receives each plugin's `stop` as soon as it is set up, so that a failed start stops what had started. */
  releases: Releases
}

const theProgram = 'the program'

/** The migration folders of every plugin, by the part's name in the database, for `refuseNewerDatabase`. */
export function migrationsOf(plugins: readonly Plugin[]): MigrationFolders {
  return Object.fromEntries(
    plugins.flatMap(({ name, tables }) => (tables ? [[tables.part ?? name, tables.migrations]] : [])),
  )
}

/** Makes the `assemble` of one program: typed as its plugins are, and the program gets only what it declares. */
export function assemblerOf<R extends Registry>() {
  return <
    Need extends keyof R['services'] & string,
    const Asks extends { [H in keyof R['hooks']]?: HookNeed },
  >(
    options: AssembleOptions<Need, Asks>,
  ) =>
    assemble(options as AssembleOptions<string, Record<string, HookNeed>>) as Promise<
      Assembly<Pick<R['services'], Need>, Pick<R['hooks'], keyof Asks & keyof R['hooks']>, R['services']>
    >
}

const unknownKind = 'unknown'

/** One plugin after another is asked, and others go on between them: with thousands of instances, each reads for a while. */
async function allConcerns(parts: readonly { plugin: Plugin; parts: MadeParts }[]): Promise<Concern[]> {
  const asked: Promise<readonly Concern[]>[] = []
  for (const part of parts) {
    const begunAt = performance.now()
    asked.push(concernsOf(part))
    await giveWay(begunAt)
  }
  return (await Promise.all(asked)).flat()
}

async function concernsOf({
  plugin: { name },
  parts: { concerns, concernKinds = [] },
}: {
  plugin: Plugin
  parts: MadeParts
}): Promise<readonly Concern[]> {
  const unknown = (summary: string, detail: string): Concern => ({
    ...{ kind: unknownKind, subject: name, subdomain: null, summary, detail },
    ...{ urgency: 'alert', path: '/health' },
  })
  try {
    const listed = (await concerns?.()) ?? []
    const strange = new Set(listed.map(({ kind }) => kind)).difference(new Set(concernKinds))
    if (strange.size === 0) return listed
    const kinds = [...strange].join(', ')
    return [...listed, unknown(`“${name}” needs attention for a reason that it does not declare`, kinds)]
  } catch (error) {
    return [unknown(`It is not known whether “${name}” needs attention`, (error as Error).message)]
  }
}

async function metricsOf(
  { plugin: { name: plugin }, parts: { metrics, tasks = [] } }: { plugin: Plugin; parts: MadeParts },
  running: ReadonlyMap<string, RunningTask>,
): Promise<PluginMetrics> {
  const succeeded = tasks.map(({ name }) => ({
    task: name,
    succeededAt: running.get(`${plugin}:${name}`)?.succeededAt() ?? null,
  }))
  try {
    return { plugin, metrics: (await metrics?.()) ?? [], error: null, tasks: succeeded }
  } catch (error) {
    return { plugin, metrics: [], error: error as Error, tasks: succeeded }
  }
}

/**
 * Sets up every plugin in order: opens its tables, hands it what it declared, and collects what it returns. Throws a
 * BootError when a hook that must be answered is not.
 */
async function assemble(
  options: AssembleOptions<string, Record<string, HookNeed>>,
): Promise<Assembly<Record<string, unknown>, Record<string, unknown>, Record<string, unknown>>> {
  const { order, configs, sqlite, log, clock, releases } = options
  const bus = new EventBus(log)
  const hooks = new HookBoard()
  hooks.ask(theProgram, options.asks)
  const services: Record<string, unknown> = {}
  const checks = new Map<string, Check>(Object.entries(options.checks))
  const tasks = new Map<string, Task>()
  const running = new Map<string, RunningTask>()
  let begun = Promise.resolve()
  const parts: { plugin: Plugin; parts: MadeParts }[] = []

  for (const plugin of order) {
    const { name } = plugin
    hooks.ask(name, plugin.asks)
    const context: PluginContext<Registry, never, unknown, Record<string, unknown>, object> = {
      config: configs.get(name),
      db: openTables(sqlite, name, plugin.tables),
      log: log.child({ plugin: name }),
      clock,
      services: Object.fromEntries(plugin.needs.map(need => [need, services[need]])) as never,
      hooks: hooks.askerFor(name) as never,
      emit: (event, payload) => bus.emit(event as string, payload),
      nudge: task => running.get(`${name}:${task}`)?.nudge(),
      checks: () => checks,
      taskFaults: () =>
        [...running].flatMap(([task, { fault }]) => {
          const reason = fault()
          return reason === null ? [] : [{ task, reason }]
        }),
      metrics: () => Promise.all(parts.map(part => metricsOf(part, running))),
      concerns: () => allConcerns(parts),
      concernKinds: () => [...parts.flatMap(({ parts }) => parts.concernKinds ?? []), unknownKind],
    }
    const made = await plugin.setup(context)
    parts.push({ plugin, parts: made })
    if (made.stop) releases.add(made.stop)
    services[name] = made.service
    for (const [check, run] of Object.entries(made.checks ?? {})) {
      if (checks.has(check)) throw new Error(`plugin "${name}": a check is already called "${check}"`)
      checks.set(check, run)
    }
    for (const task of made.tasks ?? []) {
      const id = `${name}:${task.name}`
      const principal = { kind: 'timer', id, name: id } as const
      tasks.set(id, { ...task, run: signal => actingAs(principal, () => task.run(signal)) })
    }
    for (const [event, listener] of Object.entries(made.on ?? {})) {
      bus.on(event, name, listener as (payload: unknown) => void)
    }
    hooks.answer(name, made.hooks ?? {})
  }
  const faults = hooks.complete()
  if (faults.length > 0) throw new BootError(faults)

  return {
    services: Object.fromEntries(options.needs.map(need => [need, services[need]])),
    offered: services,
    routes: parts.flatMap(({ parts }) => parts.routes ?? []),
    checks,
    answers: hook => hooks.askerFor(theProgram).all(hook as never),
    start: async () => {
      for (const { parts: made } of parts) await made.start?.()
    },
    runOnce: async name => {
      const task = tasks.get(name)
      if (!task) throw new Error(`no task is called ${name}; there are ${[...tasks.keys()].join(', ')}`)
      // A first round would come in between otherwise, and find what was meant for this one.
      await begun
      await task.run(new AbortController().signal)
    },
    startTasks: () => {
      if (options.taskFaults !== 'logged')
        for (const id of tasks.keys())
          checks.set(`task ${id}`, () => {
            const fault = running.get(id)?.fault() ?? null
            if (fault !== null) throw new Error(fault)
          })
      const last = Promise.withResolvers<void>()
      begun = last.promise
      return startTasks(tasks, { clock, log, running, begun: last.resolve })
    },
    drain: async how => {
      for (const { plugin, parts: made } of parts.toReversed()) {
        try {
          await made.drain?.(how)
        } catch (error) {
          log.error({ err: error, plugin: plugin.name }, 'failed to drain')
        }
      }
    },
  }
}
